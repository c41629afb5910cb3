//! A form (`multipart/form-data`), field by field. The parser takes what its stream has ready without an end, so the
//! stream is cut small and paused: what it holds beyond what was taken from it stays below [`AHEAD`].

use super::{BYTES, send};
use crate::rest::{Arriving, broken};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tidemill_model::invalid::Invalid;
use tidemill_operations::task::pipe::Ending;
use tidemill_operations::task::send::Object;
use tidemill_operations::{Call, Code, Error, Plane};

/// Fields of one form.
pub(super) const FIELDS: usize = 1000;
/// Bytes that the parser is given at once.
const PIECE: usize = 16 * 1024;
/// Bytes that the parser may hold while it looks for the next field: the headers of one, and a little more.
const AHEAD: usize = 256 * 1024;

/// A form that arrives.
pub struct Form {
    parser: multer::Multipart<'static>,
    ahead: Arc<AtomicUsize>,
    fields: usize,
}

/// A field of a form.
pub struct Field {
    /// What it is called in the answer.
    pub name: String,
    body: multer::Field<'static>,
    ahead: Arc<AtomicUsize>,
}

impl Form {
    /// The form in a body, or the body, if its type says that it is none.
    pub fn of(headers: &HeaderMap, body: Arriving) -> Result<Form, Arriving> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some(boundary) = content_type.and_then(|text| multer::parse_boundary(text).ok()) else {
            return Err(body);
        };
        let ahead = Arc::<AtomicUsize>::default();
        let paced = Paced { body, piece: Bytes::new(), pauses: false, ahead: ahead.clone() };
        Ok(Form { parser: multer::Multipart::new(paced, boundary), ahead, fields: 0 })
    }

    /// The next field; what was not taken of the one before is dropped.
    pub async fn next(&mut self) -> Result<Option<Field>, Error> {
        let Some(body) = self.parser.next_field().await.map_err(unreadable)? else { return Ok(None) };
        self.fields += 1;
        if self.fields > FIELDS {
            return Err(too_many());
        }
        self.ahead.store(0, Ordering::Relaxed);
        let name = body.name().filter(|name| !name.is_empty()).or(body.file_name()).unwrap_or("field").to_owned();
        Ok(Some(Field { name, body, ahead: self.ahead.clone() }))
    }
}

impl Field {
    /// Sends it as an object.
    pub async fn send(self, plane: &Arc<Plane>, call: &Call, token: &str) -> Result<Ending, Error> {
        let Field { body, ahead, .. } = self;
        let file = body.file_name().map(str::to_owned);
        // <https://www.rfc-editor.org/rfc/rfc7578#section-4.4>
        let untyped = if file.is_some() { BYTES } else { "text/plain" };
        let mime = body.content_type().map_or(untyped, |mime| mime.as_ref()).to_owned();
        let object = Object { name: file, mime, ..Object::default() };
        let taken = body.map_err(unreadable).inspect_ok(move |_| ahead.store(0, Ordering::Relaxed));
        send(plane, call, token, object, taken).await
    }
}

pub(super) fn too_many() -> Error {
    Error::new(Code::TooLarge, format!("the form has more than {FIELDS} fields, the limit")).hint("send several forms")
}

fn unreadable(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<Error>() {
            Ok(error) => *error,
            Err(_) => broken(),
        },
        multer::Error::IncompleteFieldData { .. } | multer::Error::IncompleteStream => broken(),
        other => Invalid::new("body", format!("the form cannot be read: {other}"), "send it as RFC 7578 says").into(),
    }
}

/// A body in small pieces with a pause after each, which ends when nothing is taken of what it gave.
struct Paced {
    body: Arriving,
    piece: Bytes,
    pauses: bool,
    ahead: Arc<AtomicUsize>,
}

impl Stream for Paced {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pauses) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        while self.piece.is_empty() {
            match self.body.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(piece))) => self.piece = piece,
                other => return other,
            }
        }
        let length = self.piece.len().min(PIECE);
        if self.ahead.fetch_add(length, Ordering::Relaxed) + length > AHEAD {
            let error = Invalid::new("body", format!("{AHEAD} bytes of the form hold no field"), "send a form");
            return Poll::Ready(Some(Err(error.into())));
        }
        self.pauses = true;
        Poll::Ready(Some(Ok(self.piece.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::stream::iter;

    fn of_type(content_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static(content_type))])
    }

    fn form(pieces: Vec<Bytes>) -> Form {
        let body = iter(pieces.into_iter().map(Ok)).boxed();
        let form = Form::of(&of_type("multipart/form-data; boundary=x"), body);
        form.unwrap_or_else(|_| panic!("it is a form"))
    }

    fn fields(pieces: Vec<Bytes>) -> Result<Vec<(String, usize)>, Error> {
        block_on(async {
            let mut form = form(pieces);
            let mut fields = Vec::new();
            while let Some(field) = form.next().await? {
                let (name, ahead) = (field.name.clone(), field.ahead.clone());
                let taken = field.body.map_err(unreadable).inspect_ok(move |_| ahead.store(0, Ordering::Relaxed));
                let length = taken.try_fold(0, async |sum, piece| Ok(sum + piece.len())).await?;
                fields.push((name, length));
            }
            Ok(fields)
        })
    }

    const HEAD: &str = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n";

    #[test]
    fn a_field_of_any_length_is_read_to_its_end() {
        let large = vec![b'-'; 3_000_000];
        for cut in [1_000, 100_000, 3_000_100] {
            let whole = [HEAD.as_bytes(), &large, b"\r\n", HEAD.as_bytes(), b"hi\r\n--x--\r\n"].concat();
            let pieces = whole.chunks(cut).map(Bytes::copy_from_slice).collect();

            assert_eq!(fields(pieces).unwrap(), [("a".to_owned(), 3_000_000), ("a".to_owned(), 2)]);
        }
    }

    #[test]
    fn a_form_that_never_comes_to_a_field_is_refused_before_it_is_held() {
        let endless = vec![Bytes::from(vec![b'h'; 10_000_000])];
        let header = vec![Bytes::from_static(b"--x\r\nname: "), Bytes::from(vec![b'h'; 10_000_000])];

        assert!(fields(endless).unwrap_err().message.contains("hold no field"));
        assert!(fields(header).unwrap_err().message.contains("hold no field"));
    }

    #[test]
    fn a_form_that_breaks_off_did_not_arrive_whole() {
        let cut = vec![Bytes::from_static(HEAD.as_bytes()), Bytes::from_static(b"hal")];

        assert_eq!(fields(cut).unwrap_err(), broken());
    }

    #[test]
    fn fields_are_counted() {
        let one = format!("{HEAD}\r\n");
        let many = Bytes::from(one.repeat(FIELDS + 1) + "--x--\r\n");

        assert_eq!(fields(vec![many]).unwrap_err().code, Code::TooLarge);
    }

    #[test]
    fn another_type_is_no_form() {
        for content_type in ["text/plain", "multipart/form-data", "multipart/mixed; boundary=x"] {
            assert!(Form::of(&of_type(content_type), iter([]).boxed()).is_err(), "{content_type}");
        }
        assert!(Form::of(&HeaderMap::new(), iter([]).boxed()).is_err());
    }
}
