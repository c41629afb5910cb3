//! Reads the body of a request as its sender meant it: by its media type, or by its content where the type is missing
//! or is what `curl` sends for anything.

use crate::input::Input;
use crate::json;
use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use percent_encoding::percent_decode;
use serde_json::{Map, Value as Tree};
use std::borrow::Cow;

const BYTES: &str = "application/octet-stream";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// A body that is not what its sender says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, as a phrase for a message.
    pub message: String,
    pub hint: &'static str,
}

/// Reads a body with its `Content-Type`, if it has one: text and JSON become UTF-8 without a byte order mark, and the
/// fields of a form become a JSON object.
///
/// # Errors
/// JSON that is broken, and text that is not of the charset that it declares.
pub fn read(content_type: Option<&str>, body: Bytes) -> Result<Input, Malformed> {
    let content_type = content_type.unwrap_or_default().trim();
    let media_type = essence(content_type);
    let charset = parameter(content_type, "charset");
    match media_type.as_str() {
        "" => Ok(by_content(decoded(body, charset)?, TEXT)),
        BYTES => Ok(by_content(body, BYTES)),
        FORM => form(decoded(body, charset)?, charset),
        _ if is_json(&media_type) => {
            let body = decoded(body, charset)?;
            if !body.is_empty() {
                json::parse(&body).map_err(broken_json)?;
            }
            Ok(Input::new(in_utf8(content_type, charset), body))
        }
        _ if is_text(&media_type) || charset.is_some() => {
            Ok(Input::new(in_utf8(content_type, charset), decoded(body, charset)?))
        }
        _ => Ok(Input::new(content_type, body)),
    }
}

/// Whether [`read`] may read more in a body than its type says.
pub fn is_unclear(content_type: &str) -> bool {
    let media_type = essence(content_type);
    media_type == FORM || is_json(&media_type) || parameter(content_type, "charset").is_some()
}

pub(crate) fn is_json(media_type: &str) -> bool {
    matches!(media_type, JSON | "text/json") || media_type.ends_with("+json")
}

fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type == "application/xml" || media_type.ends_with("+xml")
}

/// Whether a body is a JSON object or array: other texts are JSON only if their sender says so.
pub(crate) fn is_structured(body: &[u8]) -> bool {
    looks_structured(body) && json::parse(body).is_ok()
}

pub(crate) fn looks_structured(body: &[u8]) -> bool {
    body.trim_ascii_start().first().is_some_and(|first| matches!(first, b'{' | b'['))
}

pub(crate) fn broken_json(problem: String) -> Malformed {
    Malformed { message: format!("the body is not JSON: {problem}"), hint: "correct it, or send it as `text/plain`" }
}

fn by_content(body: Bytes, otherwise: &str) -> Input {
    let unmarked = body.strip_prefix("\u{feff}".as_bytes()).map_or(0, |rest| body.len() - rest.len());
    match std::str::from_utf8(&body) {
        Ok(_) if is_structured(&body[unmarked..]) => Input::new(JSON, body.slice(unmarked..)),
        Ok(_) => Input::new(otherwise, body),
        Err(_) => Input::new(BYTES, body),
    }
}

/// A form, or what `curl -d` sends as one: no browser writes JSON or a sentence unescaped.
fn form(body: Bytes, charset: Option<&str>) -> Result<Input, Malformed> {
    if !body.contains(&b'=') || !body.iter().copied().all(is_of_a_form) {
        return Ok(by_content(body, TEXT));
    }
    let encoding = charset.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8);
    let mut fields = Map::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let name = unescaped(&pair[..at], encoding)?;
        let value = Tree::String(unescaped(pair.get(at + 1..).unwrap_or_default(), encoding)?);
        match fields.get_mut(&name) {
            None => drop(fields.insert(name, value)),
            Some(Tree::Array(values)) => values.push(value),
            Some(first) => *first = Tree::Array(vec![first.take(), value]),
        }
    }
    // GitHub and Slack send their JSON so.
    if let (1, Some(Tree::String(payload))) = (fields.len(), fields.get("payload"))
        && is_structured(payload.as_bytes())
    {
        return Ok(Input::new(JSON, payload.clone()));
    }
    Ok(Input::new(JSON, Tree::Object(fields).to_string()))
}

/// The bytes that browsers and libraries leave unescaped in a form. <https://url.spec.whatwg.org/#urlencoded-serializing>
fn is_of_a_form(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"*-._+%&=~!'(),:;/?@$[]".contains(&byte)
}

fn unescaped(text: &[u8], encoding: &'static Encoding) -> Result<String, Malformed> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes: Vec<u8> = percent_decode(&spaced).collect();
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes);
    text.map(Cow::into_owned).ok_or_else(|| not_of(encoding))
}

/// The text in UTF-8, without a byte order mark, which wins over the charset. Bytes of no declared charset stay as they
/// are: not every lane asks for text.
fn decoded(body: Bytes, charset: Option<&str>) -> Result<Bytes, Malformed> {
    let declared =
        charset.map(|label| Encoding::for_label(label.as_bytes()).ok_or_else(|| unknown(label))).transpose()?;
    let Some((encoding, mark)) = Encoding::for_bom(&body).or(declared.map(|encoding| (encoding, 0))) else {
        return Ok(body);
    };
    let body = body.slice(mark..);
    match encoding.decode_without_bom_handling_and_without_replacement(&body) {
        Some(Cow::Borrowed(_)) => Ok(body),
        Some(Cow::Owned(text)) => Ok(text.into()),
        None => Err(not_of(encoding)),
    }
}

fn not_of(encoding: &'static Encoding) -> Malformed {
    let message = format!("the body is not text of the charset `{}`", encoding.name().to_ascii_lowercase());
    Malformed { message, hint: "name the body's charset in `content-type`, e.g. `text/plain; charset=windows-1252`" }
}

fn unknown(charset: &str) -> Malformed {
    let shown: String = charset.chars().take(40).collect();
    let message = format!("the charset `{}` does not exist", shown.escape_debug());
    Malformed { message, hint: "use a label of https://encoding.spec.whatwg.org, e.g. `utf-8`" }
}

/// The type without parameters, in lower case.
pub(crate) fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The value of a parameter of a media type, e.g. `boundary`.
pub fn parameter<'a>(content_type: &'a str, name: &str) -> Option<&'a str> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(found, _)| found.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"'))
}

/// The type of a text that is UTF-8 now.
fn in_utf8(content_type: &str, charset: Option<&str>) -> String {
    match charset.and_then(|label| Encoding::for_label(label.as_bytes())) {
        Some(encoding) if encoding != UTF_8 => format!("{}; charset=utf-8", essence(content_type)),
        _ => content_type.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The type and the text that a body is read as.
    fn as_read(content_type: &str, body: &[u8]) -> (String, String) {
        let input = read(Some(content_type), Bytes::copy_from_slice(body)).unwrap();
        (input.media_type(), String::from_utf8_lossy(&input.body).into_owned())
    }

    fn refusal(content_type: &str, body: &[u8]) -> String {
        read(Some(content_type), Bytes::copy_from_slice(body)).unwrap_err().message
    }

    fn owned(media_type: &str, text: &str) -> (String, String) {
        (media_type.to_owned(), text.to_owned())
    }

    #[test]
    fn a_body_without_a_telling_type_is_read_by_its_content() {
        for content_type in ["", FORM, "application/x-www-form-urlencoded; charset=UTF-8"] {
            assert_eq!(as_read(content_type, b" {\"a\": \"x=y\"}"), owned(JSON, " {\"a\": \"x=y\"}"), "{content_type}");
            assert_eq!(as_read(content_type, b"\xef\xbb\xbf[1]"), owned(JSON, "[1]"), "{content_type}");
            assert_eq!(as_read(content_type, b"2 + 2 = 4"), owned(TEXT, "2 + 2 = 4"), "{content_type}");
            assert_eq!(as_read(content_type, b"hello"), owned(TEXT, "hello"), "{content_type}");
            assert_eq!(as_read(content_type, b"{\"a\":"), owned(TEXT, "{\"a\":"), "{content_type}");
            assert_eq!(as_read(content_type, b""), owned(TEXT, ""), "{content_type}");
        }
        assert_eq!(as_read(FORM, &[0x89, b'P', 0xff]).0, BYTES);
        assert_eq!(as_read(BYTES, b"{}").0, JSON);
        assert_eq!(as_read(BYTES, b"a,b").0, BYTES);
    }

    #[test]
    fn a_form_becomes_an_object_of_its_fields() {
        for (body, fields) in [
            ("a=1&b=x+y%20z&b=%C3%A9&c&=", r#"{"a":"1","b":["x y z","é"],"c":"","":""}"#),
            ("q=a=b&r=100%", r#"{"q":"a=b","r":"100%"}"#),
            ("a=1&a=2&a=3", r#"{"a":["1","2","3"]}"#),
            ("payload=no%20json", r#"{"payload":"no json"}"#),
            ("payload=%7B%7D&token=t", r#"{"payload":"{}","token":"t"}"#),
        ] {
            assert_eq!(as_read(FORM, body.as_bytes()), owned(JSON, fields), "{body}");
        }
        assert_eq!(as_read(FORM, b"payload=%7B%22a%22%3A1%7D"), owned(JSON, r#"{"a":1}"#));
        assert_eq!(as_read("application/x-www-form-urlencoded; charset=latin1", b"a=%E9"), owned(JSON, r#"{"a":"é"}"#));
        assert_eq!(refusal(FORM, b"a=%E9"), "the body is not text of the charset `utf-8`");
    }

    #[test]
    fn text_becomes_utf_8_without_a_mark() {
        assert_eq!(as_read("text/plain; Charset=\"iso-8859-1\"", b"T\xfcr"), owned(TEXT, "Tür"));
        assert_eq!(as_read("application/json;charset=utf-16", b"\xff\xfe[\x001\x00]\x00"), owned(JSON, "[1]"));
        assert_eq!(as_read("application/vnd.api+json", b"\xef\xbb\xbf{}"), owned("application/vnd.api+json", "{}"));
        assert_eq!(as_read("text/csv; charset=windows-1252", b"\xef\xbb\xbf\xc3\xbc"), owned("text/csv", "ü"));
        let input = read(Some("text/plain; charset=latin1"), Bytes::from_static(b"x")).unwrap();
        assert_eq!(input.mime, "text/plain; charset=utf-8");
    }

    #[test]
    fn bytes_stay_as_they_are() {
        let bytes = Bytes::from_static(&[0xef, 0xbb, 0xbf, 0xff]);

        assert_eq!(read(Some("image/png"), bytes.clone()).unwrap().body, bytes);
        assert_eq!(read(Some("text/plain"), bytes.slice(3..)).unwrap().body, bytes.slice(3..));
    }

    #[test]
    fn what_is_broken_is_refused() {
        assert!(refusal(JSON, b"{\"a\":").starts_with("the body is not JSON: "));
        assert!(refusal(JSON, b"{\"a\":\"\xe9\"}").ends_with("it is not UTF-8"));
        assert_eq!(refusal("text/plain; charset=utf-8", b"\xe9"), "the body is not text of the charset `utf-8`");
        assert_eq!(refusal("text/plain; charset=klingon", b"x"), "the charset `klingon` does not exist");
    }
}
