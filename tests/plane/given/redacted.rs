//! Texts for snapshots: what differs from one run to the next gives way to its kind.

use regex::Regex;
use serde_json::Value;

/// What is looked for, and what stands for it.
const KINDS: [(&str, &str); 7] = [
    (r"tm_local_[0-9A-Za-z]{30}_[0-9A-Za-z]{6}", "[key]"),
    (r"\b[tp]k_[0-9A-Za-z_-]{20,}", "[token]"),
    (r"\b[0-9a-z]{8}\.webhook_1\b", "[id].webhook_1"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "[uuid]"),
    (r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b", "[id]"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[time]"),
    (r"\b\d{10}\.\d+\b", "[seconds]"),
];

/// The text without ids, keys, tokens and times.
pub fn redacted(text: &str) -> String {
    KINDS.iter().fold(text.to_owned(), |text, (pattern, kind)| {
        Regex::new(pattern).unwrap().replace_all(&text, *kind).into_owned()
    })
}

/// JSON in lines, without ids, keys, tokens and times.
pub fn redacted_json(value: &Value) -> String {
    redacted(&serde_json::to_string_pretty(value).unwrap())
}
