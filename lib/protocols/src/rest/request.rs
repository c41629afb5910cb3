//! A request, from any transport: with its body, or while that still arrives.

use bytes::{Bytes, BytesMut};
use futures::stream::{BoxStream, StreamExt};
use http::{HeaderMap, Method};
use tidemill_operations::{Code, Error};

/// Largest body that is read whole, in bytes: what a Lambda takes.
pub const BODY_LIMIT: usize = 6 * 1024 * 1024;

/// A body part by part, or how its arrival failed.
pub type Arriving = BoxStream<'static, Result<Bytes, Error>>;

/// A request.
#[derive(Clone, Debug)]
pub struct Request<B = Bytes> {
    pub method: Method,
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

    /// The request without its body, and that.
    pub fn split(self) -> (Request<()>, B) {
        let Request { method, path, query, headers, body } = self;
        (Request { method, path, query, headers, body: () }, body)
    }
}

impl Request<()> {
    pub fn with_body<B>(self, body: B) -> Request<B> {
        let Request { method, path, query, headers, body: () } = self;
        Request { method, path, query, headers, body }
    }
}

impl Request<Arriving> {
    /// Waits for the whole body.
    ///
    /// # Errors
    /// [`Code::TooLarge`], or what the arrival failed with.
    pub async fn whole(self) -> Result<Request, Error> {
        let (head, body) = self.split();
        whole(body).await.map(|body| head.with_body(body))
    }
}

/// Waits for a whole body.
///
/// # Errors
/// As [`Request::whole`].
pub async fn whole(mut body: Arriving) -> Result<Bytes, Error> {
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

/// A body that is there already.
pub fn arrived(body: Bytes) -> Arriving {
    futures::stream::iter((!body.is_empty()).then_some(Ok(body))).boxed()
}

/// How an arrival fails: the connection was lost, or what came is not what was announced.
pub fn broken() -> Error {
    Error::new(Code::InvalidArgument, "the body did not arrive whole").hint("send it again")
}
