//! `${NAME}` in a config, and keeping the values out of everything that leaves the engine.

use crate::json::{self, Json};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Tree;
use std::collections::{BTreeMap, BTreeSet};

/// Names with this prefix are RocketRide's own; unset, they stay in the config as they are.
const LITERAL_PREFIX: &str = "ROCKETRIDE_";

/// Shorter values would mask ordinary words.
const SHORTEST_MASKED: usize = 4;

/// Replaces `${NAME}` in every string of a config; collects the names that are missing.
pub(crate) fn resolve(config: &Tree, secrets: &BTreeMap<String, SecretString>, missing: &mut BTreeSet<String>) -> Tree {
    match config {
        Tree::String(text) => Tree::String(resolve_text(text, secrets, missing)),
        Tree::Array(items) => items.iter().map(|item| resolve(item, secrets, missing)).collect(),
        Tree::Object(fields) => {
            Tree::Object(fields.iter().map(|(name, field)| (name.clone(), resolve(field, secrets, missing))).collect())
        }
        other => other.clone(),
    }
}

fn resolve_text(text: &str, secrets: &BTreeMap<String, SecretString>, missing: &mut BTreeSet<String>) -> String {
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
        match secrets.get(name) {
            Some(secret) => resolved.push_str(secret.expose_secret()),
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

/// The names of the secrets that a config asks for.
pub fn secret_names(config: &Tree) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect_names(config, &mut names);
    names
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
            if value.len() < SHORTEST_MASKED {
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
            if masked.contains(value) {
                masked = masked.replace(value, name);
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
        [("TOKEN", "tok-12345"), ("LONG", "tok-12345-more"), ("PIN", "123"), ("ODD", "a b\"c/ü")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
            .collect()
    }

    #[test]
    fn placeholders_anywhere_in_a_config_are_replaced() {
        let config = json!({ "headers": [{ "Authorization": "Bearer ${TOKEN}" }], "n": 1, "t": "$${PIN}${}${1x}${ROCKETRIDE_X}" });
        let mut missing = BTreeSet::new();

        let resolved = resolve(&config, &secrets(), &mut missing);

        assert_eq!(
            resolved,
            json!({ "headers": [{ "Authorization": "Bearer tok-12345" }], "n": 1, "t": "$123${}${1x}${ROCKETRIDE_X}" })
        );
        assert!(missing.is_empty());
    }

    #[test]
    fn all_missing_names_are_collected() {
        let mut missing = BTreeSet::new();

        resolve(&json!(["${A_1}", { "x": "${B}${A_1}" }]), &secrets(), &mut missing);

        assert_eq!(missing, BTreeSet::from(["A_1".to_owned(), "B".to_owned()]));
    }

    #[test]
    fn every_form_of_a_secret_is_masked_and_short_ones_are_not() {
        let masks = Masks::new(&secrets());

        assert_eq!(masks.apply("x tok-12345-more tok-12345 123"), "x <LONG> <TOKEN> 123");
        assert_eq!(masks.apply(r#"a b"c/ü {"k":"a b\"c/ü"} ?q=a+b%22c%2F%C3%BC"#), r#"<ODD> {"k":"<ODD>"} ?q=<ODD>"#);
        assert_eq!(masks.apply("https://h/a%20b%22c/%C3%BC"), "https://h/<ODD>");
    }
}
