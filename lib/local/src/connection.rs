//! One connection, from the first byte to the last: how long a caller may take for each part of a request.

use crate::admission::Admission;
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
use std::net::SocketAddr;
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
        let begins = async {
            let newcomer = self.admission.newcomer(peer.ip())?;
            // That a stream is readable may be a false alarm, so a byte is looked at.
            let first = timeout(SILENCE_LIMIT, stream.peek(&mut [0])).await.ok()?.ok()?;
            if first == 0 {
                return None;
            }
            timeout(PLACE_LIMIT, newcomer.place()).await.ok()
        };
        let mut stopped = self.stopped.clone();
        let place = tokio::select! {
            place = begins => place,
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
