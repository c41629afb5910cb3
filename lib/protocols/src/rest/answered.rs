//! An answer that is there, or one that is told bit by bit.

use super::Response;
use bytes::Bytes;
use futures::stream::BoxStream;
use http::HeaderMap;
use std::fmt;

/// What a request is answered with.
pub enum Answered {
    Whole(Response),
    Stream(Streamed),
}

/// An answer whose body goes on after it was begun. Who drops the body ends the work for it.
pub struct Streamed {
    pub status: u16,
    pub headers: HeaderMap,
    /// Each part is sent on by itself, as soon as it is there.
    pub body: BoxStream<'static, Bytes>,
}

impl From<Response> for Answered {
    fn from(response: Response) -> Answered {
        Answered::Whole(response)
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed").field("status", &self.status).field("headers", &self.headers).finish_non_exhaustive()
    }
}
