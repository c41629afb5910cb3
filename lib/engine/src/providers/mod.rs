//! The kinds of components, one file each. To add one: write its file with a function `entry`, and add it to [`all`].

mod chat;
mod dedupe;
mod file_sink;
mod file_source;
mod filter;
mod http_request;
mod json;
mod log;
mod response;
mod template;
mod timer;
mod webhook;

use crate::component::Entry;
use serde_json::{Map, Value as Tree, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use tidemill_model::lane::Lane;
use tidemill_plan::Catalogue;

fn all() -> Vec<Entry> {
    let mut all = vec![
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
    CATALOGUE.get_or_init(|| Catalogue::new(entries().values().map(|entry| entry.declaration.clone())))
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

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests {
    use super::*;

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
}
