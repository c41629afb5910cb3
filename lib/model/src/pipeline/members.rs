//! Changes one member of a JSON object and leaves every other byte of it as it was sent: numbers, order, blanks.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Sets a member of an object; where it is absent, it comes first. `None` if the text is not an object.
pub fn set_member(object: &RawValue, name: &str, value: &str) -> Option<Box<RawValue>> {
    let text = object.get();
    let mut found = members(text)?.into_iter().filter(|(key, _)| key == name).peekable();
    let mut changed = String::with_capacity(text.len() + name.len() + value.len() + 8);
    let mut copied = 0;
    if found.peek().is_none() {
        copied = text.find('{')? + 1;
        let comma = if members(text)?.is_empty() { "" } else { "," };
        changed = format!("{}{}:{value}{comma}", &text[..copied], serde_json::to_string(name).ok()?);
    }
    for (_, span) in found {
        changed.push_str(&text[copied..span.start]);
        changed.push_str(value);
        copied = span.end;
    }
    changed.push_str(&text[copied..]);
    RawValue::from_string(changed).ok()
}

/// The value of a member; the last one if it is repeated.
pub fn member<'a>(object: &'a RawValue, name: &str) -> Option<&'a str> {
    let text = object.get();
    let (_, span) = members(text)?.into_iter().rfind(|(key, _)| key == name)?;
    Some(&text[span])
}

/// Whether a value is one that Python calls false: nothing, or nothing in it.
pub fn is_empty(value: &RawValue) -> bool {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'{') => members(text).is_some_and(|members| members.is_empty()),
        Some(b'[') => text[1..text.len() - 1].trim().is_empty(),
        _ => matches!(text, "null" | "false" | "\"\"" | "0" | "0.0" | "-0" | "-0.0"),
    }
}

type Span = std::ops::Range<usize>;

/// Each member's name, and where its value stands in the text.
fn members(text: &str) -> Option<Vec<(String, Span)>> {
    struct Members(usize);

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, Span)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                // The value is borrowed from the text, so its address gives its place.
                let start = value.get().as_ptr() as usize - self.0;
                members.push((name, start..start + value.get().len()));
            }
            Ok(members)
        }
    }

    serde_json::Deserializer::from_str(text).deserialize_map(Members(text.as_ptr() as usize)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn set(text: &str, value: &str) -> String {
        set_member(&raw(text), "project_id", value).unwrap().get().to_owned()
    }

    #[test]
    fn a_member_is_replaced_and_the_rest_stays_to_the_byte() {
        let text = "{ \"b\" : 1.0,\n\"project_id\" :  \"x\" , \"a\": 12345678901234567890123, \"ü\": \"\\u00fc\"}";

        assert_eq!(
            set(text, "\"p\""),
            "{ \"b\" : 1.0,\n\"project_id\" :  \"p\" , \"a\": 12345678901234567890123, \"ü\": \"\\u00fc\"}"
        );
    }

    #[test]
    fn a_member_that_is_missing_comes_first() {
        assert_eq!(set("{\"a\": 1}", "\"p\""), "{\"project_id\":\"p\",\"a\": 1}");
        assert_eq!(set("{ }", "\"p\""), "{\"project_id\":\"p\" }");
    }

    #[test]
    fn members_deeper_down_are_left_alone() {
        let text = "{\"a\":{\"project_id\":1},\"project_id\":null}";
        assert_eq!(set(text, "2"), "{\"a\":{\"project_id\":1},\"project_id\":2}");
    }

    #[test]
    fn a_name_in_escapes_is_the_same_name() {
        assert_eq!(set("{\"project\\u005fid\": 1}", "2"), "{\"project\\u005fid\": 2}");
    }

    #[test]
    fn what_is_not_an_object_has_no_members() {
        for text in ["[1]", "1", "\"x\"", "null"] {
            assert!(set_member(&raw(text), "a", "1").is_none(), "{text}");
        }
    }

    #[test]
    fn empty_is_what_holds_nothing() {
        for text in ["{}", "{ }", "[]", "[ \n]", "null", "false", "\"\"", "0"] {
            assert!(is_empty(&raw(text)), "{text}");
        }
        for text in ["{\"a\":1}", "[0]", "true", "\" \"", "7"] {
            assert!(!is_empty(&raw(text)), "{text}");
        }
    }
}
