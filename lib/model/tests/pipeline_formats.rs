//! The formats that people write: what they make of a text, and where its values stand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::{Value, json};
use tidemill_model::pipeline::formats::{Format, Position};
use tidemill_model::pipeline::limits::FILE_BYTES;

fn value(format: Format, text: &str) -> Value {
    let converted = format.file_to_json(text).unwrap_or_else(|error| panic!("{}: {text}", error.problem));
    serde_json::from_str(&converted.json).unwrap()
}

fn message(format: Format, text: &str) -> String {
    format.file_to_json(text).unwrap_err().problem.message
}

#[test]
fn yaml_is_read_by_the_core_schema() {
    let text = "on: no\noff: 'true'\nempty:\ntilde: ~\nlist: [1, 0x10, 1.50, .5, \"1\"]\nblock: |\n  a\n  b\nfolded: >-\n  a\n  b\ndate: 2026-01-01\n1: one\n";

    let expected = json!({
        "on": "no", "off": "true", "empty": null, "tilde": null, "list": [1, 16, 1.5, 0.5, "1"],
        "block": "a\nb\n", "folded": "a b", "date": "2026-01-01", "1": "one",
    });
    assert_eq!(value(Format::Yaml, text), expected);
}

#[test]
fn long_numbers_keep_their_digits() {
    let digits = "123456789012345678901234567890.10";
    for (format, text) in [(Format::Yaml, format!("a: {digits}")), (Format::Jsonc, format!("{{\"a\": {digits},}}"))] {
        assert_eq!(format.file_to_json(&text).unwrap().json, format!("{{\"a\":{digits}}}"));
    }
}

#[test]
fn an_alias_is_a_copy_and_is_found_where_it_stands() {
    let text = "first: &it {b: [1, 2]}\nlist:\n  - *it\n  - &two 2\n  - *two\n";
    let converted = Format::Yaml.file_to_json(text).unwrap();

    assert_eq!(converted.json, r#"{"first":{"b":[1,2]},"list":[{"b":[1,2]},2,2]}"#);
    let inside = converted.json.rfind("[1,2]").unwrap();
    assert_eq!(converted.origin(inside), Some(Position { line: 3, column: 5 }));
    let last = converted.json.rfind('2').unwrap();
    assert_eq!(converted.origin(last), Some(Position { line: 5, column: 5 }));
}

#[test]
fn columns_are_characters() {
    let converted = Format::Jsonc.file_to_json("{\"ü\": /* ü */ [1]}").unwrap();
    let one = converted.json.find('1').unwrap();
    assert_eq!(converted.origin(one), Some(Position { line: 1, column: 16 }));
}

#[test]
fn only_comments_and_trailing_commas_are_more_than_json() {
    for text in ["{a: 1}", "{'a': 1}", "[1 2]", "[0x1]", "[+1]", "[.5]", "[NaN]", "[01]", "[\"\\x41\"]", "", "// only"]
    {
        assert!(Format::Jsonc.file_to_json(text).is_err(), "{text}");
    }
    assert_eq!(value(Format::Jsonc, "// a\n[1, /* b */ 2,]"), json!([1, 2]));
}

#[test]
fn growth_by_aliases_is_bounded_by_the_size_of_a_file() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")));
    }
    assert!(message(Format::Yaml, &text).contains(&format!("more than {FILE_BYTES} bytes of JSON")));

    let mut deep = String::from("a0: &a0 [x]\n");
    for level in 1..200 {
        deep.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(message(Format::Yaml, &deep).contains("nested deeper than"));
}

#[test]
fn depth_is_bounded_without_recursion() {
    for open in ["[", "{\"a\":"] {
        assert!(message(Format::Jsonc, &open.repeat(100_000)).contains("nested deeper than"));
    }
    assert!(message(Format::Yaml, &"- ".repeat(100_000)).contains("nested deeper than"));
    // Brackets in texts and comments are no depth.
    let text = format!("[\"{0}\", /* {0} */ 1] // {0}", "[".repeat(300));
    assert!(value(Format::Jsonc, &text).is_array());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "[\\[\\]{}:,&*!|>'\"#/a-c0-9 \\n\\t-]{0,60}|.*") {
        for format in [Format::Json, Format::Jsonc, Format::Yaml] {
            if let Ok(converted) = format.file_to_json(&text) {
                prop_assert!(serde_json::from_str::<Value>(&converted.json).is_ok(), "{}", converted.json);
            }
        }
        Format::of_text(&text);
    }

    #[test]
    fn json_with_comments_reads_json_as_json_does(written in any_json()) {
        prop_assert_eq!(value(Format::Jsonc, &written.to_string()), written.clone());
        prop_assert_eq!(value(Format::Jsonc, &serde_json::to_string_pretty(&written).unwrap()), written);
    }
}
