//! The kinds of components, one file each. To add one: write its file with a function `entry`, and add it to [`all`].

mod changed;
mod chat;
mod dedupe;
mod file_sink;
mod file_source;
mod filter;
mod http_request;
mod json;
mod log;
mod memory;
mod on_error;
mod response;
mod template;
mod timer;
mod webhook;

pub use webhook::{Untaken, check_input};

use crate::component::Entry;
use crate::texts;
use serde_json::{Map, Value as Tree, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use tidemill_model::lane::Lane;
use tidemill_plan::{Catalogue, Provider};

fn all() -> Vec<Entry> {
    let mut all = vec![
        changed::entry(),
        chat::entry(),
        dedupe::entry(),
        file_sink::entry(),
        file_source::entry(),
        filter::entry(),
        http_request::entry(),
        json::entry(),
        log::entry(),
        template::entry(),
        timer::entry(),
        webhook::entry(),
    ];
    all.extend(response::entries());
    all
}

/// The declarations of all providers.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue::new(entries().values().map(|entry| entry.declaration.clone()), texts::check))
}

/// A provider by its name.
pub(crate) fn entry(name: &str) -> Option<&'static Entry> {
    entries().get(name)
}

fn entries() -> &'static BTreeMap<&'static str, Entry> {
    static ENTRIES: OnceLock<BTreeMap<&'static str, Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| all().into_iter().map(|entry| (entry.declaration.name, entry)).collect())
}

/// The lanes whose values programs and templates can read.
const READABLE: [Lane; 6] = [Lane::Text, Lane::Documents, Lane::Questions, Lane::Answers, Lane::Table, Lane::Tags];

/// The JSON Schema of a config, from its properties and the names of those that must be given.
fn schema<const N: usize>(properties: [(&str, Tree); N], required: &[&str]) -> Tree {
    let properties: Map<String, Tree> =
        properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Gives each field that a config leaves out the default that the declaration shows. So a provider's own type states
/// none.
pub(crate) fn fill_in_defaults(config: &mut Tree, declaration: &Provider) {
    let (Some(config), Some(fields)) = (config.as_object_mut(), declaration.config["properties"].as_object()) else {
        return;
    };
    for (name, field) in fields {
        if let (false, Some(default)) = (config.contains_key(name), field.get("default")) {
            config.insert(name.clone(), default.clone());
        }
    }
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{Make, Setup};
    use crate::gauge::Gauge;
    use crate::ledger::Ledger;
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use tidemill_plan::TextKind;

    #[test]
    fn every_field_that_a_config_leaves_out_has_the_default_that_the_declaration_shows() {
        let run = Arc::new(testing::run());
        for Entry { declaration, make } in entries().values() {
            let required = declaration.config["required"].as_array().unwrap().iter();
            let mut config: Tree = required.map(|name| (name.as_str().unwrap().to_owned(), json!("."))).collect();
            fill_in_defaults(&mut config, declaration);
            let log = &mut Ledger::new(&run, Gauge::default()).log;
            let setup = Setup { id: "one", config: &config, state: None, run: &run, log };

            let made = match make {
                Make::Source(make) => make(setup).map(drop),
                Make::Component(make) => make(setup).map(drop),
            };

            // A file that the config names need not be there.
            let unread = made.err().filter(|fault| fault.message.contains("config is not valid"));
            assert!(unread.is_none(), "{}: {unread:?}", declaration.name);
        }
    }

    #[test]
    fn a_default_replaces_nothing_that_is_given() {
        let mut config = json!({ "key": ".id" });

        fill_in_defaults(&mut config, &entry("dedupe").unwrap().declaration);

        assert_eq!(config, json!({ "key": ".id", "expires": "30d" }));
    }

    #[test]
    fn every_provider_documents_its_config() {
        for provider in catalogue().iter() {
            assert!(!provider.description.is_empty() && !provider.title.is_empty(), "{}", provider.name);
            assert_eq!(provider.config["additionalProperties"], false, "{}", provider.name);
            assert!(provider.is_source() != provider.gives.is_empty(), "{}", provider.name);
            for (name, field) in provider.config["properties"].as_object().unwrap() {
                assert!(field["description"].is_string(), "{}.{name}", provider.name);
                let required = provider.config["required"].as_array().unwrap().contains(&name.as_str().into());
                assert!(required || field.get("default").is_some(), "{}.{name} has no default", provider.name);
            }
        }
    }

    /// The texts that nothing reads. It may only shrink: a text that means something has a kind of its own.
    const UNREAD: [&str; 3] = ["log.event", "response*.laneName", "response*.lanes[].laneName"];

    /// Every string that a config may hold by its place, with its kind.
    fn strings(schema: &Tree, place: &str, found: &mut Vec<(String, Option<TextKind>)>) {
        let is_string =
            |kind: &Tree| kind == "string" || kind.as_array().is_some_and(|all| all.contains(&json!("string")));
        // A whole pattern is checked by the schema itself.
        let is_whole = |pattern: &str| pattern.starts_with('^') && pattern.ends_with('$');
        let has_pattern = schema.get("pattern").and_then(Tree::as_str).is_some_and(is_whole);
        let is_choice = has_pattern || schema.get("enum").is_some() || schema.get("const").is_some();
        if schema.get("type").is_none_or(is_string) && !is_choice {
            found.push((place.to_owned(), TextKind::of(schema)));
        }
        if let Some(names) = schema.get("propertyNames") {
            found.push((format!("{place}.*"), TextKind::of(names)));
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            strings(field, &format!("{place}.{name}"), found);
        }
        for (keyword, mark) in [("additionalProperties", ".*"), ("items", "[]")] {
            if let Some(inner @ Tree::Object(_)) = schema.get(keyword) {
                strings(inner, &format!("{place}{mark}"), found);
            }
        }
        for choice in
            ["allOf", "anyOf", "oneOf"].iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten()
        {
            strings(choice, place, found);
        }
    }

    #[test]
    fn every_text_of_a_config_has_a_kind_so_that_it_is_checked_before_it_runs() {
        let (mut unmarked, mut unread) = (Vec::new(), BTreeSet::new());
        for provider in catalogue().iter() {
            let mut found = Vec::new();
            strings(&provider.config, provider.name, &mut found);
            for (place, kind) in found {
                match kind {
                    None => unmarked.push(place),
                    Some(TextKind::Text) => {
                        let of_each = place.split_once('.').filter(|(name, _)| name.starts_with("response"));
                        unread.insert(of_each.map_or(place.clone(), |(_, field)| format!("response*.{field}")));
                    }
                    Some(_) => {}
                }
            }
        }

        assert!(unmarked.is_empty(), "give these an `x-tidemill`: {unmarked:?}");
        assert_eq!(unread, UNREAD.map(str::to_owned).into());
    }

    #[test]
    fn a_text_without_a_kind_is_found_wherever_it_stands() {
        let config = schema(
            [
                ("program", json!({ "type": "string" })),
                ("maybe", json!({ "type": ["string", "null"] })),
                ("any", json!({})),
                ("misspelt", json!({ "type": "string", "x-tidemill": "jqq" })),
                (
                    "list",
                    json!({ "type": "array", "items": { "anyOf": [{ "type": "string" }, { "type": "integer" }] } }),
                ),
                ("map", json!({ "type": "object", "propertyNames": {}, "additionalProperties": { "type": "string" } })),
                ("checked", json!({ "type": "string", "x-tidemill": "jq" })),
                ("choice", json!({ "enum": ["a", "b"] })),
                ("number", json!({ "type": "integer" })),
            ],
            &[],
        );
        let mut found = Vec::new();

        strings(&config, "p", &mut found);

        let unmarked: Vec<_> =
            found.iter().filter(|(_, kind)| kind.is_none()).map(|(place, _)| place.as_str()).collect();
        assert_eq!(
            unmarked,
            ["p.program", "p.maybe", "p.any", "p.misspelt", "p.list[]", "p.list[]", "p.map.*", "p.map.*"]
        );
    }

    #[test]
    fn every_default_passes_its_own_check() {
        for provider in catalogue().iter() {
            for (name, field) in provider.config["properties"].as_object().unwrap() {
                if let (Some(kind), Some(text)) = (TextKind::of(field), field["default"].as_str()) {
                    assert_eq!(
                        texts::check(kind, text, &tidemill_plan::Target::default()),
                        Ok(()),
                        "{}.{name}",
                        provider.name
                    );
                }
            }
        }
    }
}
