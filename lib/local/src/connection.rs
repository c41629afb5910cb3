//! One connection, from the first byte to the last: how long a caller may take for each part of a request.

use crate::admission::{Admission, Place};
use crate::door::stop;
use crate::guarded::{Guarded, Standing};
use crate::hosts::Hosts;
use crate::{dap_sockets, front};
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tidemill_operations::Plane;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;
use tower::ServiceExt;

/// How long a connection may be open before its first byte.
const SILENCE_LIMIT: Duration = Duration::from_secs(10);
/// How long the head of a request may take, from the end of the request before.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
/// How long a connection waits for a place among those of its address.
const PLACE_LIMIT: Duration = Duration::from_secs(30);

/// What serves each connection of a front door.
#[derive(Clone)]
pub struct Connections {
    service: axum::Router,
    hosts: Arc<Hosts>,
    admission: Arc<Admission>,
    stopped: watch::Receiver<bool>,
}

impl Connections {
    pub fn new(
        plane: Arc<Plane>,
        hosts: Hosts,
        admission: Arc<Admission>,
        stopped: watch::Receiver<bool>,
    ) -> Connections {
        let service = front::service(plane.clone(), stopped.clone()).merge(dap_sockets::route(plane, stopped.clone()));
        Connections { service, hosts: Arc::new(hosts), admission, stopped }
    }

    /// Serves a connection until its end. Once the plane stops, it answers what was asked and no more.
    pub async fn serve(self, stream: TcpStream, peer: SocketAddr, connection: OwnedSemaphorePermit) {
        let mut first = [0];
        let mut stopped = self.stopped.clone();
        let place = tokio::select! {
            // That a stream is readable may be a false alarm, so a byte is looked at.
            place = admitted(&self.admission, peer.ip(), stream.peek(&mut first)) => place,
            () = stop(&mut stopped) => None,
        };
        let Some(place) = place else { return };
        let standing = Standing::new(place);
        let stream = TokioIo::new(Guarded::new(stream, standing.clone(), connection));
        let service = service_fn(|request| self.answer(request, peer, &standing));
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
        let mut served = pin!(server.serve_connection(stream, service).with_upgrades());
        let ended = tokio::select! {
            ended = served.as_mut() => ended,
            () = stop(&mut stopped) => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection was lost, or closed for its silence");
        }
    }

    async fn answer(
        &self,
        mut request: http::Request<Incoming>,
        peer: SocketAddr,
        standing: &Arc<Standing>,
    ) -> Result<http::Response<Body>, Infallible> {
        if let Some(refused) = self.hosts.refuse(&request) {
            return Ok(front::sent(refused));
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(standing.clone());
        self.service.clone().oneshot(request.map(Body::new)).await
    }
}

/// Waits for a connection's first byte among those of its address, and then for a place; `None` when it is not to be served.
async fn admitted(
    admission: &Admission,
    peer: IpAddr,
    first_bytes: impl Future<Output = io::Result<usize>>,
) -> Option<Place> {
    let newcomer = admission.newcomer(peer)?;
    let bytes = timeout(SILENCE_LIMIT, first_bytes).await.ok()?.ok()?;
    if bytes == 0 {
        return None;
    }
    timeout(PLACE_LIMIT, newcomer.place()).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::future::{pending, ready};

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_waits_among_those_of_its_address_from_the_start() {
        // The fewest places: four of an address are served, and four wait.
        let admission = Admission::for_files(0);
        let silent = || Box::pin(admitted(&admission, peer(1), pending()));
        let mut waiting: Vec<_> = (0..4).map(|_| silent()).collect();
        assert!(waiting.iter_mut().all(|one| one.now_or_never().is_none()));

        let one_more = silent().now_or_never();
        let other = admitted(&admission, peer(2), ready(Ok(1))).now_or_never();

        assert!(matches!(one_more, Some(None)), "it is let go at once");
        assert!(matches!(other, Some(Some(_))), "another address has its own places");
        drop(waiting);
        assert!(silent().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_nothing_or_ends_gets_no_place() {
        let admission = Admission::for_files(0);

        let silent = timeout(2 * SILENCE_LIMIT, admitted(&admission, peer(1), pending())).await;
        let ended = admitted(&admission, peer(1), ready(Ok(0))).await;

        assert!(matches!(silent, Ok(None)) && ended.is_none());
    }
}
