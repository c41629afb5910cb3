//! JSON as the engine holds it: jaq's value type, so that programs run on it without a conversion. Reading is strict
//! (jaq alone would take its own superset of JSON) and bounded in depth; numbers keep every digit.

use crate::component::Fault;
use serde_json::Value as Tree;
use std::io::Write;

pub use jaq_json::Val as Json;

/// The platform's limit for JSON from outside.
const DEPTH_LIMIT: usize = 100;

/// A program may nest what it got a little deeper; beyond this, writing would endanger the stack.
const WRITE_DEPTH_LIMIT: usize = 500;

pub(crate) fn string(text: &str) -> Json {
    Json::utf8_str(text.as_bytes().to_vec())
}

pub(crate) fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
    Json::obj(fields.into_iter().map(|(name, value)| (string(name), value)).collect())
}

/// Parses one JSON value; the error is a phrase for a message.
pub(crate) fn parse(text: &[u8]) -> Result<Json, String> {
    if depth(text) > DEPTH_LIMIT {
        return Err(format!("it nests deeper than {DEPTH_LIMIT} levels"));
    }
    std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    serde_json::from_slice::<serde::de::IgnoredAny>(text).map_err(|problem| problem.to_string())?;
    jaq_json::read::parse_single(text).map_err(|problem| problem.to_string())
}

/// The deepest nesting of brackets outside of strings.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The text of a string, or else compact JSON.
pub(crate) fn to_text(json: &Json) -> Result<String, Fault> {
    match json {
        Json::TStr(text) => Ok(String::from_utf8_lossy(text).into_owned()),
        json => to_compact(json),
    }
}

/// Compact JSON.
pub(crate) fn to_compact(json: &Json) -> Result<String, Fault> {
    let mut out = Vec::new();
    write(json, &mut out)?;
    Ok(String::from_utf8(out).expect("the writer emits UTF-8 only"))
}

/// Reads what [`to_compact`] wrote.
pub(crate) fn reread(text: &str) -> Option<Json> {
    jaq_json::read::parse_single(text.as_bytes()).ok()
}

/// For a host that knows only `serde_json`. An integer beyond 64 bits becomes a text of its digits, because the nearest float
/// would be another number.
pub(crate) fn to_tree(json: &Json) -> Result<Tree, Fault> {
    tree_of(json, 0)
}

fn tree_of(json: &Json, depth: usize) -> Result<Tree, Fault> {
    if depth > WRITE_DEPTH_LIMIT {
        return Err(too_deep());
    }
    Ok(match json {
        Json::Num(number) => {
            let mut text = Vec::new();
            write_number(number, &mut text);
            let text = String::from_utf8_lossy(&text).into_owned();
            let is_long = is_integer(&text) && text.parse::<i64>().is_err() && text.parse::<u64>().is_err();
            match is_long {
                true => Tree::String(text),
                false => serde_json::from_str(&text)
                    .map_err(|problem| Fault::new(format!("a number cannot be written as JSON: {problem}")))?,
            }
        }
        Json::Arr(items) => items.iter().map(|item| tree_of(item, depth + 1)).collect::<Result<_, _>>()?,
        Json::Obj(fields) => {
            let field = |(name, value): (&Json, &Json)| Ok((to_text(name)?, tree_of(value, depth + 1)?));
            Tree::Object(fields.iter().map(field).collect::<Result<_, Fault>>()?)
        }
        Json::Null => Tree::Null,
        Json::Bool(bool) => Tree::Bool(*bool),
        Json::TStr(text) | Json::BStr(text) => Tree::String(String::from_utf8_lossy(text).into_owned()),
    })
}

/// Whether a number's text has neither a point nor an exponent.
pub(crate) fn is_integer(number: &str) -> bool {
    number.strip_prefix('-').unwrap_or(number).bytes().all(|byte| byte.is_ascii_digit())
}

fn too_deep() -> Fault {
    Fault::new(format!("a value nests deeper than {WRITE_DEPTH_LIMIT} levels"))
}

pub(crate) fn from_tree(tree: &Tree) -> Json {
    let text = tree.to_string();
    jaq_json::read::parse_single(text.as_bytes()).expect("serde_json writes valid JSON")
}

/// Appends compact JSON.
pub(crate) fn write(json: &Json, out: &mut Vec<u8>) -> Result<(), Fault> {
    write_nested(json, out, 0)
}

fn write_nested(json: &Json, out: &mut Vec<u8>, depth: usize) -> Result<(), Fault> {
    if depth > WRITE_DEPTH_LIMIT {
        return Err(too_deep());
    }
    match json {
        Json::Null => out.extend_from_slice(b"null"),
        Json::Bool(true) => out.extend_from_slice(b"true"),
        Json::Bool(false) => out.extend_from_slice(b"false"),
        Json::Num(number) => write_number(number, out),
        Json::TStr(text) | Json::BStr(text) => write_string(text, out),
        Json::Arr(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_nested(item, out, depth + 1)?;
            }
            out.push(b']');
        }
        Json::Obj(fields) => {
            out.push(b'{');
            for (index, (name, value)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                match name {
                    Json::TStr(name) => write_string(name, out),
                    other => write_string(to_compact(other)?.as_bytes(), out),
                }
                out.push(b':');
                write_nested(value, out, depth + 1)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_string(text: &[u8], out: &mut Vec<u8>) {
    serde_json::to_writer(out, &String::from_utf8_lossy(text)).expect("a Vec takes every write");
}

/// JSON has no NaN and no infinity; jq writes null for the one, and we do for both.
fn write_number(number: &jaq_json::Num, out: &mut Vec<u8>) {
    let start = out.len();
    write!(out, "{number}").expect("a Vec takes every write");
    let digits = out[start..].strip_prefix(b"-").unwrap_or(&out[start..]);
    let looks_like_json = |text: &[u8]| {
        let ends_in_digits =
            text.first().is_some_and(u8::is_ascii_digit) && text.last().is_some_and(u8::is_ascii_digit);
        ends_in_digits && !text.windows(2).any(|pair| pair[0] == b'.' && !pair[1].is_ascii_digit())
    };
    if !looks_like_json(digits) {
        let value: Option<f64> = std::str::from_utf8(&out[start..]).ok().and_then(|text| text.parse().ok());
        out.truncate(start);
        serde_json::to_writer(&mut *out, &value.filter(|value| value.is_finite())).expect("a Vec takes every write");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> String {
        to_compact(&parse(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn numbers_keep_their_digits_and_objects_their_order() {
        for text in [r#"{"z":1,"a":2.50,"n":-0.1,"big":12345678901234567890123}"#, "[1e3,0,-7]", r#""\u0001é\"""#] {
            assert_eq!(round(text), text);
        }
    }

    #[test]
    fn what_only_jaq_would_accept_is_refused() {
        for text in ["nan", "{a:1}", "[1,]", "1 2", "b\"x\"", "# comment\n1", "", "\"\u{1}\""] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_strings_do_not_count() {
        assert!(parse("[".repeat(1_000_000).as_bytes()).unwrap_err().contains("100 levels"));
        assert_eq!(round(&format!("\"{}\"", "[".repeat(200))).len(), 202);
    }

    #[test]
    fn numbers_that_json_lacks_are_written_as_null() {
        assert_eq!(to_compact(&Json::from(f64::NAN)).unwrap(), "null");
        assert_eq!(to_compact(&Json::from(f64::INFINITY)).unwrap(), "null");
    }

    #[test]
    fn integers_beyond_64_bits_are_texts_of_their_digits_where_only_serde_json_is_known() {
        let tree =
            to_tree(&parse(b"[18446744073709551615,-9223372036854775808,18446744073709551616,2.5,1e3]").unwrap());

        let expected = serde_json::json!([u64::MAX, i64::MIN, "18446744073709551616", 2.5, 1000.0]);
        assert_eq!(tree.unwrap(), expected);
    }
}
