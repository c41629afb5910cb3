//! Streams of events, as browsers and Checkly's clients read them.
//!
//! [`mod@frame`] writes an event, [`followed()`] makes the events of a rollout, and [`streamed()`] an answer of events.
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

mod ascii;
mod followed;
mod frame;

pub use followed::followed;
pub use frame::Frame;

use crate::rest::{Request, RestStream};
use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;
use tokio::time::timeout;

/// After such a silence a comment is sent: what stands between, such as a load balancer, closes what seems idle.
const SILENCE: Duration = Duration::from_secs(15);
const COMMENT: &[u8] = b":\n\n";

/// An answer that sends events as they come, and ends when there are no more.
pub fn streamed(frames: impl Stream<Item = Frame> + Send + 'static) -> RestStream {
    let headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        // Nothing on the way may keep a frame back to answer another reader with it, or to fill a buffer.
        (CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ]);
    RestStream { status: 200, headers, body: written(frames) }
}

/// The id of the last event that a reader has seen before it came again.
pub fn last_event_id<B>(request: &Request<B>) -> Option<u64> {
    request.header("last-event-id")?.trim().parse().ok()
}

/// Each frame is one part, so that none is cut by the border of an HTTP chunk.
fn written(frames: impl Stream<Item = Frame> + Send + 'static) -> BoxStream<'static, Bytes> {
    unfold(frames.boxed(), |mut frames| async {
        let part = match timeout(SILENCE, frames.next()).await {
            Ok(frame) => frame?.written(),
            Err(_) => Bytes::from_static(COMMENT),
        };
        Some((part, frames))
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream::{iter, pending};
    use serde_json::json;
    use tokio::time::{Instant, sleep};

    fn tick(number: u32) -> Frame {
        Frame::new("progress", &json!({"progress": number}))
    }

    #[tokio::test(start_paused = true)]
    async fn each_event_is_sent_by_itself_and_the_last_one_ends_the_answer() {
        let streamed = streamed(iter([tick(1), tick(2)]));

        let parts: Vec<_> = streamed.body.collect().await;

        assert_eq!(streamed.headers[CONTENT_TYPE], "text/event-stream");
        assert_eq!(
            parts,
            ["event: progress\ndata: {\"progress\":1}\n\n", "event: progress\ndata: {\"progress\":2}\n\n"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_sends_a_comment_every_fifteen_seconds() {
        let began = Instant::now();
        let mut body = streamed(pending()).body;

        let first = (body.next().await.unwrap(), began.elapsed());
        let second = (body.next().await.unwrap(), began.elapsed());

        assert_eq!(first, (":\n\n".into(), Duration::from_secs(15)));
        assert_eq!(second, (":\n\n".into(), Duration::from_secs(30)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_comment_takes_no_event_away() {
        let slow = iter([1, 2]).then(|number| async move {
            sleep(SILENCE + Duration::from_secs(1)).await;
            tick(number)
        });

        let parts: Vec<_> = streamed(slow).body.collect().await;

        let events: Vec<_> = parts.iter().filter(|part| *part != COMMENT).collect();
        assert_eq!((parts.len(), events.len()), (4, 2));
    }
}
