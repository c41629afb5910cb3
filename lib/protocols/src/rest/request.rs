//! A request, from any transport: with its body, or while that still arrives.

use bytes::{Bytes, BytesMut};
use futures::stream::{BoxStream, StreamExt};
use http::{HeaderMap, Method};
use std::net::IpAddr;
use std::time::Duration;
use tidemill_operations::{Code, Error};
use tokio::time::timeout;

/// Largest body that is read whole, in bytes: what a Lambda takes.
pub const BODY_LIMIT: usize = 6 * 1024 * 1024;

/// How long a body that is read whole may take: the largest one, at half a megabit a second.
const BODY_TIME: Duration = Duration::from_secs(120);

/// A body part by part, or how its arrival failed.
pub type Arriving = BoxStream<'static, Result<Bytes, Error>>;

/// A request.
#[derive(Clone, Debug)]
pub struct Request<B = Bytes> {
    pub method: Method,
    /// Where it comes from, if this process took the connection.
    pub peer: Option<IpAddr>,
    /// What the route's `{names}` stand for, percent-decoded.
    pub path: Vec<(String, String)>,
    /// Percent-decoded.
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: B,
}

impl<B> Request<B> {
    /// The value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The idempotency key. One that is no text is still a key: it must be refused, not passed over.
    pub fn idempotency_key(&self) -> Option<String> {
        self.headers.get("idempotency-key").map(|key| String::from_utf8_lossy(key.as_bytes()).into())
    }

    /// The request without its body, and that.
    pub fn split(self) -> (Request<()>, B) {
        let Request { method, peer, path, query, headers, body } = self;
        (Request { method, peer, path, query, headers, body: () }, body)
    }
}

impl Request<()> {
    pub fn with_body<B>(self, body: B) -> Request<B> {
        let Request { method, peer, path, query, headers, body: () } = self;
        Request { method, peer, path, query, headers, body }
    }
}

/// Waits for a whole body, and no longer than is needed for one of the largest size.
///
/// # Errors
/// [`Code::TooLarge`], or what the arrival failed with.
pub async fn whole(body: Arriving) -> Result<Bytes, Error> {
    timeout(BODY_TIME, collected(body)).await.unwrap_or_else(|_| Err(late()))
}

async fn collected(mut body: Arriving) -> Result<Bytes, Error> {
    let mut whole = BytesMut::new();
    while let Some(part) = body.next().await {
        let part = part?;
        if whole.len() + part.len() > BODY_LIMIT {
            return Err(Error::new(Code::TooLarge, format!("the body is larger than {BODY_LIMIT} bytes"))
                .hint("send less at once"));
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.freeze())
}

/// Waits for a body in a test: the limit that it has takes tokio's clock.
#[cfg(test)]
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime can be built").block_on(future)
}

/// A body that is there already.
pub fn arrived(body: Bytes) -> Arriving {
    futures::stream::iter((!body.is_empty()).then_some(Ok(body))).boxed()
}

/// How an arrival fails: the connection was lost, or what came is not what was announced.
pub fn broken() -> Error {
    Error::new(Code::InvalidArgument, "the body did not arrive whole").hint("send it again")
}

/// How an arrival fails that takes too long.
pub fn late() -> Error {
    Error::new(Code::InvalidArgument, "the body did not arrive in time").hint("send it again, without a pause")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream::unfold;
    use tokio::time::{Instant, sleep};

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_byte_by_byte_is_not_waited_for() {
        let started = Instant::now();
        let dribble = unfold((), |()| async {
            sleep(Duration::from_secs(20)).await;
            Some((Ok(Bytes::from_static(b"x")), ()))
        });

        let refused = whole(dribble.boxed()).await.unwrap_err();

        assert_eq!((refused.code, refused.message), (Code::InvalidArgument, late().message));
        assert_eq!(started.elapsed(), BODY_TIME);
    }
}
