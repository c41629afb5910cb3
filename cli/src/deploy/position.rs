//! Where in a file's text the value stands that a JSON pointer names.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tidemill_model::pipeline::formats::Position;

/// Where in a text the value starts that a pointer names, or the nearest value around it that is there. `None` if the
/// text is not JSON.
pub fn byte(text: &str, pointer: &str) -> Option<usize> {
    let mut value: &RawValue = serde_json::from_str(text).ok()?;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        match inside(value, &step) {
            Some(inner) => value = inner,
            None => break,
        }
    }
    // The value is borrowed from the text, so its address says where it stands.
    Some(value.get().as_ptr() as usize - text.as_ptr() as usize)
}

/// The position of a value, as [`byte`] finds it.
pub fn position(text: &str, pointer: &str) -> Option<Position> {
    Some(Position::of_byte(text, byte(text, pointer)?))
}

/// Where a text stops to be JSON; `None` if it is.
pub fn end_of_json(text: &str) -> Option<Position> {
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    Some(Position { line: error.line(), column: error.column().max(1) })
}

fn inside<'a>(value: &'a RawValue, step: &str) -> Option<&'a RawValue> {
    match value.get().as_bytes().first()? {
        b'{' => serde_json::from_str::<BTreeMap<String, &RawValue>>(value.get()).ok()?.remove(step),
        b'[' => serde_json::from_str::<Vec<&RawValue>>(value.get()).ok()?.get(step.parse::<usize>().ok()?).copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_found_in_the_text() {
        let text = "{\n  \"a\": [1, {\"ü/x\": \"y\", \"z\": 2}]\n}";
        let at = |pointer: &str| position(text, pointer).map(|found| (found.line, found.column));

        assert_eq!(at(""), Some((1, 1)));
        assert_eq!(at("/a/0"), Some((2, 9)));
        assert_eq!(at("/a/1/ü~1x"), Some((2, 20)));
        assert_eq!(at("/a/1/z"), Some((2, 30)));
        assert_eq!(at("/a/1/missing/deeper"), Some((2, 12)), "the object that misses it");
        assert_eq!(position("not json", "/a"), None);
        assert_eq!(end_of_json("{\n \"a\": }"), Some(Position { line: 2, column: 7 }));
        assert_eq!(end_of_json(text), None);
    }
}
