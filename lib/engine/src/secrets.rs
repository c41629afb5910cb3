//! `${NAME}` in a config. A text gets the value in its place; a program or a template binds it
//! ([`bindings`](crate::bindings)), so that a value is never read as a part of a program.

use serde_json::Value as Tree;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use tidemill_plan::TextKind;

/// Names with this prefix are RocketRide's own; unset, they stay in the config as they are.
const LITERAL_PREFIX: &str = "ROCKETRIDE_";

/// Each `${NAME}` of a text: where it stands, and the name.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(start) = text[at..].find("${").map(|start| at + start) {
            at = start + 2;
            if let Some(end) = text[at..].find('}').map(|end| at + end).filter(|end| is_name(&text[at..*end])) {
                let name = &text[at..end];
                at = end + 1;
                return Some((start..at, name));
            }
        }
        None
    })
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Replaces `${NAME}` in every text of a config that is neither a program nor a template; its schema says which are. Collects
/// the names for which `find` has no value.
pub(crate) fn resolve<'a>(
    config: &Tree,
    schema: &Tree,
    find: &impl Fn(&str) -> Option<&'a str>,
    missing: &mut BTreeSet<String>,
) -> Tree {
    match config {
        Tree::String(text) => {
            let unset = placeholders(text).map(|(_, name)| name).filter(|name| find(name).is_none());
            missing.extend(unset.filter(|name| !name.starts_with(LITERAL_PREFIX)).map(str::to_owned));
            match TextKind::of(schema).is_some_and(TextKind::is_program) {
                true => config.clone(),
                false => Tree::String(replaced(text, |_, name| find(name)).into_owned()),
            }
        }
        Tree::Array(items) => items.iter().map(|item| resolve(item, &schema["items"], find, missing)).collect(),
        Tree::Object(fields) => {
            let schema_of = |name: &str| match &schema["properties"][name] {
                Tree::Null => &schema["additionalProperties"],
                own => own,
            };
            let fields = fields.iter();
            fields.map(|(name, field)| (name.clone(), resolve(field, schema_of(name), find, missing))).collect()
        }
        other => other.clone(),
    }
}

/// A text with something in the place of each `${NAME}`, or the text itself if it has none.
pub(crate) fn filled<'a>(text: &'a str, filling: &str) -> Cow<'a, str> {
    replaced(text, |_, _| Some(filling))
}

/// A text with something in the place of each `${NAME}`, by number and name; what is `None` stays as it is.
pub(crate) fn replaced<T: AsRef<str>>(text: &str, mut by: impl FnMut(usize, &str) -> Option<T>) -> Cow<'_, str> {
    let mut whole = String::new();
    let mut rest = 0;
    for (number, (place, name)) in placeholders(text).enumerate() {
        if let Some(value) = by(number, name) {
            whole.push_str(&text[rest..place.start]);
            whole.push_str(value.as_ref());
            rest = place.end;
        }
    }
    match rest {
        0 => Cow::Borrowed(text),
        _ => Cow::Owned(whole + &text[rest..]),
    }
}

/// The names of the secrets that a config asks for.
pub fn secret_names(config: &Tree) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect_names(config, &mut names);
    names
}

/// The names that must be set before a config can be used. A variable that a caller may leave out is none of them.
pub fn required_secrets(config: &Tree) -> BTreeSet<String> {
    secret_names(config).into_iter().filter(|name| !name.starts_with(LITERAL_PREFIX)).collect()
}

fn collect_names(config: &Tree, names: &mut BTreeSet<String>) {
    match config {
        Tree::String(text) => names.extend(placeholders(text).map(|(_, name)| name.to_owned())),
        Tree::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Tree::Object(fields) => fields.values().for_each(|field| collect_names(field, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn find(name: &str) -> Option<&'static str> {
        match name {
            "TOKEN" => Some("tok-12345"),
            "PIN" => Some("12345"),
            _ => None,
        }
    }

    #[test]
    fn placeholders_anywhere_in_a_config_are_replaced() {
        let config = json!({ "headers": [{ "Authorization": "Bearer ${TOKEN}" }], "n": 1, "t": "$${PIN}${}${1x}${ROCKETRIDE_X}" });
        let mut missing = BTreeSet::new();

        let resolved = resolve(&config, &Tree::Null, &find, &mut missing);

        assert_eq!(
            resolved,
            json!({ "headers": [{ "Authorization": "Bearer tok-12345" }], "n": 1, "t": "$12345${}${1x}${ROCKETRIDE_X}" })
        );
        assert!(missing.is_empty());
    }

    #[test]
    fn programs_and_templates_keep_their_placeholders() {
        let schema = json!({ "properties": {
            "where": { "x-tidemill": "jq" },
            "path": { "x-tidemill": "path" },
            "headers": { "additionalProperties": { "x-tidemill": "header_value" } },
            "urls": { "items": { "x-tidemill": "url" } },
        } });
        let config =
            json!({ "where": "${PIN}", "path": "${PIN}", "headers": { "A": "${PIN}" }, "urls": ["${PIN}", "${NONE}"] });
        let mut missing = BTreeSet::new();

        let resolved = resolve(&config, &schema, &find, &mut missing);

        let expected =
            json!({ "where": "${PIN}", "path": "12345", "headers": { "A": "${PIN}" }, "urls": ["${PIN}", "${NONE}"] });
        assert_eq!(resolved, expected);
        assert_eq!(missing, BTreeSet::from(["NONE".to_owned()]));
    }

    #[test]
    fn all_missing_names_are_collected() {
        let mut missing = BTreeSet::new();

        resolve(&json!(["${A_1}", { "x": "${B}${A_1}" }]), &Tree::Null, &|_| None, &mut missing);

        assert_eq!(missing, BTreeSet::from(["A_1".to_owned(), "B".to_owned()]));
    }
}
