//! An answer as a whole, or one that is sent part by part.

use super::Response;
use bytes::Bytes;
use futures::stream::BoxStream;
use http::HeaderMap;
use std::fmt;

/// The answer to a request.
pub enum RestResponse {
    Whole(Response),
    Stream(RestStream),
}

/// An answer whose body goes on after its head. Dropping the body ends the work for it.
pub struct RestStream {
    pub status: u16,
    pub headers: HeaderMap,
    /// Each part is sent by itself, as soon as it is there.
    pub body: BoxStream<'static, Bytes>,
}

impl From<Response> for RestResponse {
    fn from(response: Response) -> RestResponse {
        RestResponse::Whole(response)
    }
}

impl fmt::Debug for RestStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestStream")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
