//! The objects in the body of a webhook, which is there as a whole: one, or one for each part of a multipart body.

use super::disposition::file_name;
use super::form::{FIELDS, too_many};
use bytes::Bytes;
use futures::stream::iter;
use http::header::CONTENT_DISPOSITION;
use serde_json::{Map, Value};
use tidemill_model::invalid::Invalid;
use tidemill_operations::body::{Malformed, parameter, read};
use tidemill_operations::{EngineInput, Error};

/// Reads a body with its `Content-Type`, if it has one. `facts` are what each object knows of the request; each part has its
/// `field`, too, which is null without a name.
pub async fn hooked(content_type: Option<&str>, body: Bytes, facts: Map<String, Value>) -> Result<EngineInput, Error> {
    match content_type.filter(|content_type| is_multipart(content_type)) {
        Some(content_type) => parts(content_type, body, facts).await,
        None => Ok(EngineInput { meta: facts.into(), ..read(content_type, body).map_err(refusal)? }),
    }
}

fn is_multipart(content_type: &str) -> bool {
    content_type.trim_start().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

async fn parts(content_type: &str, body: Bytes, mut facts: Map<String, Value>) -> Result<EngineInput, Error> {
    let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty());
    let boundary = boundary.ok_or_else(|| unreadable("its type names no boundary"))?;
    // The parser would pass over such a part.
    let bare = format!("--{boundary}\r\n\r\n").into_bytes();
    if body.windows(bare.len()).any(|window| window == bare) {
        return Err(unreadable("a part has no headers"));
    }
    let mut parser = multer::Multipart::new(iter([Ok::<_, std::io::Error>(body)]), boundary);
    let mut objects = Vec::new();
    while let Some(part) = parser.next_field().await.map_err(unreadable)? {
        if objects.len() == FIELDS {
            return Err(too_many());
        }
        let mut known = if objects.is_empty() { std::mem::take(&mut facts) } else { Map::new() };
        known.insert("field".to_owned(), part.name().into());
        let disposition = part.headers().get(CONTENT_DISPOSITION).map(|value| value.as_bytes().to_vec());
        let disposition = disposition.and_then(|value| String::from_utf8(value).ok());
        let name = disposition.as_deref().and_then(file_name).or(part.file_name().map(str::to_owned));
        let declared = part.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        // A field is text, a file without a type is what it looks like: <https://www.rfc-editor.org/rfc/rfc7578#section-4.4>
        let declared = declared.map(str::to_owned).or(name.is_none().then(|| "text/plain".to_owned()));
        let bytes = part.bytes().await.map_err(unreadable)?;
        let object = read(declared.as_deref(), bytes).map_err(refusal)?;
        objects.push(EngineInput { name, meta: known.into(), ..object });
    }
    let mut objects = objects.into_iter();
    let first = objects.next().ok_or_else(|| unreadable("it has no parts"))?;
    Ok(EngineInput { more: objects.collect(), ..first })
}

fn unreadable(problem: impl std::fmt::Display) -> Error {
    Invalid::new("body", format!("the multipart body cannot be read: {problem}"), "send it as RFC 7578 says").into()
}

fn refusal(Malformed { message, hint }: Malformed) -> Error {
    Invalid::new("body", message, hint).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;

    const TYPE: Option<&str> = Some("Multipart/Form-Data; boundary=\"x\"");

    fn read_as(content_type: Option<&str>, body: &str) -> Result<EngineInput, Error> {
        block_on(hooked(content_type, Bytes::copy_from_slice(body.as_bytes()), Map::new()))
    }

    #[test]
    fn each_part_is_an_object_with_its_own_type_and_name() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n\
            --x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.json\"\r\n\r\n{\"a\":1}\r\n\
            --x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"b.csv\"\r\nContent-Type: text/csv\r\n\r\na,b\r\n--x--\r\n";

        let first = read_as(TYPE, body).unwrap();

        let objects: Vec<_> = std::iter::once(&first).chain(&first.more).collect();
        let shown = |object: &&EngineInput| (object.mime.clone(), object.name.clone(), object.body.clone());
        assert_eq!(
            objects.iter().map(shown).collect::<Vec<_>>(),
            [
                ("text/plain".to_owned(), None, "hi".into()),
                ("application/json".to_owned(), Some("a.json".to_owned()), "{\"a\":1}".into()),
                ("text/csv".to_owned(), Some("b.csv".to_owned()), "a,b".into()),
            ]
        );
        assert_eq!(objects[0].meta["field"], "note");
    }

    #[test]
    fn a_multipart_body_that_is_broken_or_empty_is_refused() {
        for (content_type, body) in [
            (TYPE, "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhal"),
            (TYPE, "--x--\r\n"),
            (TYPE, "no form"),
            (TYPE, ""),
            (TYPE, "--x\r\n\r\none\r\n--x--\r\n"),
            (Some("multipart/form-data"), "--x--\r\n"),
            (TYPE, "--x\r\nContent-Type: application/json\r\n\r\n{\r\n--x--\r\n"),
        ] {
            assert_eq!(
                read_as(content_type, body).unwrap_err().code,
                tidemill_operations::Code::InvalidArgument,
                "{body}"
            );
        }
    }

    #[test]
    fn other_multipart_bodies_are_parts_too() {
        let body = "--x\r\ncontent-type: text/plain\r\n\r\none\r\n".repeat(2) + "--x--";
        let mixed = read_as(Some("multipart/mixed; boundary=x"), &body).unwrap();

        assert_eq!(mixed.more.len(), 1);
    }

    #[test]
    fn parts_are_counted() {
        let body = "--x\r\na: b\r\n\r\n\r\n".repeat(FIELDS + 1) + "--x--";

        assert_eq!(read_as(TYPE, &body).unwrap_err().code, tidemill_operations::Code::TooLarge);
    }
}
