//! JSON that is ASCII: every other character is written as `\uXXXX`, or as two of them.

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// Writes a value; one that JSON cannot say is a bug.
pub fn json(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Ascii)).expect("its keys are text");
    String::from_utf8(bytes).expect("JSON is text")
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        escaped(writer, fragment)
    }

    /// JSON that is written already: only its texts hold what is not ASCII.
    fn write_raw_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        escaped(writer, fragment)
    }
}

fn escaped<W: ?Sized + Write>(writer: &mut W, text: &str) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find(|character: char| !character.is_ascii()) {
        let (plain, others) = rest.split_at(at);
        writer.write_all(plain.as_bytes())?;
        let mut others = others.chars();
        if let Some(other) = others.next() {
            for unit in other.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        rest = others.as_str();
    }
    writer.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn a_character_beyond_the_first_plane_is_two_escapes() {
        assert_eq!(
            json(&json!({"ž": "a\u{7f}é🌊\"\n"})),
            r#"{"\u017e":"a"#.to_owned() + "\u{7f}" + r#"\u00e9\ud83c\udf0a\"\n"}"#
        );
    }

    proptest! {
        #[test]
        fn any_text_is_ascii_on_one_line_and_reads_as_before(text in ".*", key in "\\PC*") {
            let value = json!({key: text});
            let written = json(&value);

            prop_assert!(written.is_ascii() && !written.contains(['\n', '\r']));
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }
    }
}
