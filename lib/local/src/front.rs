//! The front door: turns HTTP into calls of the function table.

use crate::openapi::{Routed, Router};
use axum::body::{Body, BodyDataStream};
use axum::extract::{ConnectInfo, State};
use futures::{StreamExt, stream};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tidemill_operations::{Code, Error, Plane};
use tidemill_protocols::refused;
use tidemill_protocols::rest::{self, Arriving, Request, Response, RestResponse, RestStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a body may pause.
const PAUSE_LIMIT: Duration = Duration::from_secs(60);

struct Front {
    plane: Arc<Plane>,
    router: &'static Router,
    stopped: watch::Receiver<bool>,
}

/// The service that answers every request but those for a WebSocket. Streams end when the plane stops.
pub fn service(plane: Arc<Plane>, stopped: watch::Receiver<bool>) -> axum::Router {
    let front = Arc::new(Front { plane, router: Router::get(), stopped });
    axum::Router::new().fallback(receive).with_state(front)
}

async fn receive(State(front): State<Arc<Front>>, request: axum::extract::Request) -> http::Response<Body> {
    let (parts, body) = request.into_parts();
    let (asked, stopped) = (parts.uri.path().to_owned(), front.stopped.clone());
    // A task of its own: the server drops what answers a caller who hangs up, and that may be between a write and its bell.
    let answered = tokio::spawn(async move { front.answer(parts, body).await }).await;
    match answered {
        Ok(RestResponse::Whole(response)) => sent(response),
        Ok(RestResponse::Stream(streamed)) => streaming(streamed, stopped),
        Err(panic) => sent(refused::unreadable(&asked, Error::internal(panic))),
    }
}

/// An answer in the server's form.
pub(crate) fn sent(response: Response) -> http::Response<Body> {
    let mut answer = http::Response::new(Body::from(response.body));
    *answer.status_mut() =
        http::StatusCode::from_u16(response.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    *answer.headers_mut() = response.headers;
    answer
}

/// An answer that goes on until its end, until its client is gone, or until the plane stops.
fn streaming(streamed: RestStream, mut stopped: watch::Receiver<bool>) -> http::Response<Body> {
    let RestStream { status, headers, body } = streamed;
    let stop = async move {
        if stopped.wait_for(|stop| *stop).await.is_err() {
            // The plane cannot stop it any more.
            std::future::pending().await
        }
    };
    let parts = body.take_until(Box::pin(stop)).map(Ok::<_, Infallible>);
    let mut answer = sent(Response { status, headers, body: Default::default() });
    *answer.body_mut() = Body::from_stream(parts);
    answer
}

impl Front {
    async fn answer(&self, parts: Parts, body: Body) -> RestResponse {
        let asked = parts.uri.path();
        let (route, handler, path) = match self.router.route(&parts.method, asked) {
            Routed::To(route, handler, path) => (route, handler, path),
            Routed::OtherMethods(allowed) => return refused::other_method(asked, &parts.method, &allowed).into(),
            Routed::Nowhere => return refused::nowhere(asked).into(),
        };
        let Some(query) = query(parts.uri.query().unwrap_or_default()) else {
            let error = Error::new(Code::InvalidArgument, "the query is not percent-encoded UTF-8")
                .hint("encode it as UTF-8, then percent-encode it");
            return refused::unreadable(asked, error).into();
        };
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let body = arriving(body);
        let request = Request { method: parts.method, peer, path, query, headers: parts.headers, body };
        handler.answer(&self.plane, route, request).await
    }
}

/// A body as it arrives. One that pauses for too long did not arrive.
fn arriving(body: Body) -> Arriving {
    let parts = body.into_data_stream();
    let next = |mut parts: BodyDataStream| async move {
        match timeout(PAUSE_LIMIT, parts.next()).await {
            Ok(part) => Some((part?.map_err(|_| rest::broken()), Some(parts))),
            Err(_) => Some((Err(rest::late()), None)),
        }
    };
    let parts = stream::unfold(Some(parts), move |parts| async move { next(parts?).await });
    parts.boxed()
}

/// Splits a query into its parameters; `None` if one is not UTF-8.
fn query(text: &str) -> Option<Vec<(String, String)>> {
    let decode =
        |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8().ok().map(|text| text.into_owned());
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures::channel::mpsc::{UnboundedSender, unbounded};
    use http::HeaderMap;

    /// An answer that goes on as long as its sender is there.
    fn going_on(stopped: watch::Receiver<bool>) -> (UnboundedSender<Bytes>, http::Response<Body>) {
        let (sender, parts) = unbounded();
        (sender, streaming(RestStream { status: 200, headers: HeaderMap::new(), body: parts.boxed() }, stopped))
    }

    #[tokio::test]
    async fn each_part_of_a_stream_is_sent_as_it_comes() {
        let (_stop, stopped) = watch::channel(false);
        let (sender, answer) = going_on(stopped);
        let mut body = answer.into_body().into_data_stream();

        for part in ["first", "second"] {
            sender.unbounded_send(part.into()).unwrap();
            assert_eq!(body.next().await.unwrap().unwrap(), part);
        }
        drop(sender);

        assert!(body.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_pauses_for_too_long_did_not_arrive() {
        let (sender, parts) = unbounded::<Result<Bytes, Infallible>>();
        let mut body = arriving(Body::from_stream(parts));
        let started = tokio::time::Instant::now();

        sender.unbounded_send(Ok("first".into())).unwrap();

        assert_eq!(body.next().await.unwrap().unwrap(), "first");
        assert_eq!(body.next().await.unwrap().unwrap_err().message, rest::late().message);
        assert_eq!(started.elapsed(), PAUSE_LIMIT);
        assert!(body.next().await.is_none());
    }

    #[tokio::test]
    async fn a_stream_ends_when_the_plane_stops() {
        let (stop, stopped) = watch::channel(false);
        let (_sender, answer) = going_on(stopped);
        let mut body = answer.into_body().into_data_stream();

        stop.send(true).unwrap();

        assert!(body.next().await.is_none());
    }

    #[tokio::test]
    async fn a_caller_that_leaves_ends_the_work_for_its_stream() {
        let (_stop, stopped) = watch::channel(false);
        let (sender, answer) = going_on(stopped);

        drop(answer);

        assert!(sender.is_closed());
    }
}
