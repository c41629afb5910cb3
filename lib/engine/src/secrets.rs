//! `${NAME}` in a config, and keeping the values out of everything that leaves the engine.

use crate::json::{self, Json};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Tree;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Names with this prefix are RocketRide's own; unset, they stay in the config as they are.
const LITERAL_PREFIX: &str = "ROCKETRIDE_";

/// Characters of the shortest secret that is masked: a shorter one would mask ordinary words.
pub const SHORTEST_MASKED: usize = 6;

/// Characters from which on a secret is masked wherever it stands: so long a value is no part of an ordinary word.
const LONG: usize = 16;

/// Replaces `${NAME}` in every string of a config; collects the names for which `find` has no value.
pub(crate) fn resolve<'a>(
    config: &Tree,
    find: &impl Fn(&str) -> Option<&'a str>,
    missing: &mut BTreeSet<String>,
) -> Tree {
    match config {
        Tree::String(text) => Tree::String(resolve_text(text, find, missing)),
        Tree::Array(items) => items.iter().map(|item| resolve(item, find, missing)).collect(),
        Tree::Object(fields) => {
            Tree::Object(fields.iter().map(|(name, field)| (name.clone(), resolve(field, find, missing))).collect())
        }
        other => other.clone(),
    }
}

fn resolve_text<'a>(text: &str, find: &impl Fn(&str) -> Option<&'a str>, missing: &mut BTreeSet<String>) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        resolved.push_str(&rest[..start]);
        let placeholder = &rest[start + 2..];
        let end = placeholder.find('}').filter(|end| is_name(&placeholder[..*end]));
        let Some(end) = end else {
            resolved.push_str("${");
            rest = placeholder;
            continue;
        };
        let name = &placeholder[..end];
        match find(name) {
            Some(value) => resolved.push_str(value),
            None => {
                if !name.starts_with(LITERAL_PREFIX) {
                    missing.insert(name.to_owned());
                }
                resolved.push_str(&rest[start..start + end + 3]);
            }
        }
        rest = &placeholder[end + 1..];
    }
    resolved.push_str(rest);
    resolved
}

/// A text with something in the place of each `${NAME}`, or the text itself if it has none.
pub(crate) fn filled<'a>(text: &'a str, filling: &str) -> Cow<'a, str> {
    let mut filled = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(start) = text[at..].find("${").map(|start| at + start) {
        at = start + 2;
        if let Some(end) = text[at..].find('}').map(|end| at + end).filter(|end| is_name(&text[at..*end])) {
            filled.push_str(&text[copied..start]);
            filled.push_str(filling);
            (copied, at) = (end + 1, end + 1);
        }
    }
    match copied {
        0 => Cow::Borrowed(text),
        _ => Cow::Owned(filled + &text[copied..]),
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
        Tree::String(text) => {
            let candidates = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
            names.extend(candidates.map(|(name, _)| name.to_owned()).filter(|name| is_name(name)));
        }
        Tree::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Tree::Object(fields) => fields.values().for_each(|field| collect_names(field, names)),
        _ => {}
    }
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The values to hide, each with the name to show instead.
#[derive(Default)]
pub struct Masks(Vec<(String, String)>);

impl Masks {
    /// Knows each value as it is, as it stands inside JSON, and as it stands in a URL.
    pub(crate) fn new(secrets: &BTreeMap<String, SecretString>) -> Masks {
        let mut masks = Vec::new();
        for (name, secret) in secrets {
            let value = secret.expose_secret();
            if value.chars().count() < SHORTEST_MASKED {
                continue;
            }
            let quoted = Tree::from(value).to_string();
            let forms = BTreeSet::from([
                value.to_owned(),
                quoted[1..quoted.len() - 1].to_owned(),
                url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
                percent(value),
            ]);
            masks.extend(forms.into_iter().map(|form| (form, format!("<{name}>"))));
        }
        // The longest first, so that a secret that contains another is masked whole.
        masks.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then(a.cmp(b)));
        Masks(masks)
    }

    pub(crate) fn apply(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (value, name) in &self.0 {
            if masked.contains(value.as_str()) {
                masked = replace_values(&masked, value, name);
            }
        }
        masked
    }

    /// Masks every string of a value.
    pub(crate) fn apply_json(&self, json: &Json) -> Json {
        if self.0.is_empty() {
            return json.clone();
        }
        match json {
            Json::TStr(text) => json::string(&self.apply(&String::from_utf8_lossy(text))),
            Json::Arr(items) => items.iter().map(|item| self.apply_json(item)).collect(),
            Json::Obj(fields) => {
                Json::obj(fields.iter().map(|(name, field)| (name.clone(), self.apply_json(field))).collect())
            }
            other => other.clone(),
        }
    }

    /// Masks every string of a message.
    pub(crate) fn apply_tree(&self, tree: &mut Tree) {
        if self.0.is_empty() {
            return;
        }
        match tree {
            Tree::String(text) => *text = self.apply(text),
            Tree::Array(items) => items.iter_mut().for_each(|item| self.apply_tree(item)),
            Tree::Object(fields) => fields.values_mut().for_each(|field| self.apply_tree(field)),
            _ => {}
        }
    }
}

/// Replaces a secret where it stands as a value, not where it is a part of a longer word.
fn replace_values(text: &str, value: &str, name: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = 0;
    for (start, _) in text.match_indices(value) {
        let end = start + value.len();
        if value.len() >= LONG || !(continues_a_word(text, start, value) || is_continued(&text[end..], value)) {
            replaced.push_str(&text[rest..start]);
            replaced.push_str(name);
            rest = end;
        }
    }
    replaced.push_str(&text[rest..]);
    replaced
}

/// Whether a word goes on from before `start` into the value. The last letter of an escape, `\\n` or `%20`, is of no word.
fn continues_a_word(text: &str, start: usize, value: &str) -> bool {
    let before = &text[..start];
    let is_escape = before.len() > 1 && before.as_bytes()[before.len() - 2] == b'\\'
        || before.len() > 2 && before.as_bytes()[before.len() - 3] == b'%';
    !is_escape && value.starts_with(is_of_a_word) && before.ends_with(is_of_a_word)
}

fn is_continued(after: &str, value: &str) -> bool {
    value.ends_with(is_of_a_word) && after.starts_with(is_of_a_word)
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric()
}

/// The value as the URL parser writes it into a path.
fn percent(value: &str) -> String {
    let mut url = url::Url::parse("http://x/").expect("this URL is valid");
    url.set_path(value);
    url.path()[1..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secrets() -> BTreeMap<String, SecretString> {
        [("TOKEN", "tok-12345"), ("LONG", "tok-12345-more"), ("PIN", "12345"), ("ODD", "a b\"c/ü")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
            .collect()
    }

    #[test]
    fn placeholders_anywhere_in_a_config_are_replaced() {
        let config = json!({ "headers": [{ "Authorization": "Bearer ${TOKEN}" }], "n": 1, "t": "$${PIN}${}${1x}${ROCKETRIDE_X}" });
        let mut missing = BTreeSet::new();

        let secrets = secrets();
        let find = |name: &str| secrets.get(name).map(|secret| secret.expose_secret());
        let resolved = resolve(&config, &find, &mut missing);

        assert_eq!(
            resolved,
            json!({ "headers": [{ "Authorization": "Bearer tok-12345" }], "n": 1, "t": "$12345${}${1x}${ROCKETRIDE_X}" })
        );
        assert!(missing.is_empty());
    }

    #[test]
    fn all_missing_names_are_collected() {
        let mut missing = BTreeSet::new();

        resolve(&json!(["${A_1}", { "x": "${B}${A_1}" }]), &|_| None, &mut missing);

        assert_eq!(missing, BTreeSet::from(["A_1".to_owned(), "B".to_owned()]));
    }

    #[test]
    fn every_form_of_a_secret_is_masked_and_short_ones_are_not() {
        let masks = Masks::new(&secrets());

        assert_eq!(masks.apply("x tok-12345-more tok-12345 12345"), "x <LONG> <TOKEN> 12345");
        assert_eq!(masks.apply(r#"a b"c/ü {"k":"a b\"c/ü"} ?q=a+b%22c%2F%C3%BC"#), r#"<ODD> {"k":"<ODD>"} ?q=<ODD>"#);
        assert_eq!(masks.apply("https://h/a%20b%22c/%C3%BC"), "https://h/<ODD>");
    }

    #[test]
    fn a_secret_is_masked_as_a_value_and_not_as_a_part_of_a_word() {
        let of = |value: &str| Masks::new(&[("KEY".to_owned(), SecretString::from(value))].into());

        assert_eq!(of("planet").apply("planets of exoplanet, planet"), "planets of exoplanet, <KEY>");
        for whole in ["key=planet", "\"planet\"", "planet", "(planet)", "a/planet?", "Bearer planet", "x_planet_y"] {
            assert_eq!(of("planet").apply(whole), whole.replace("planet", "<KEY>"));
        }
        // The letters before it are those of an escape.
        assert_eq!(of("planet").apply(r#"{"a":"x\nplanet"} ?q=%20planet"#), r#"{"a":"x\n<KEY>"} ?q=%20<KEY>"#);
        assert_eq!(of("12345:abcdefghijk").apply("/bot12345:abcdefghijk/send"), "/bot<KEY>/send");
        assert_eq!(of("123456").apply("1234567 123456"), "1234567 <KEY>");
    }
}
