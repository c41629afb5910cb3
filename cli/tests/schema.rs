//! `tidemill schema`.

use crate::command::tidemill;

#[test]
fn the_schema_names_every_provider_and_says_what_each_field_does() {
    let file = tidemill(&["schema", "--json"]).json();
    let deploy = tidemill(&["schema", "deploy"]).json();

    let providers = file["$defs"]["component"]["properties"]["provider"]["oneOf"].as_array().unwrap().clone();
    assert!(providers.iter().any(|provider| provider["const"] == "http_request"), "{providers:?}");
    assert!(providers.iter().all(|provider| provider["description"].is_string()));
    assert!(file["$defs"]["config.http_request"]["properties"]["url"]["description"].is_string());
    assert_eq!(deploy["$defs"]["deploy"]["additionalProperties"], false);
    assert_eq!(deploy["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn there_is_no_schema_of_anything_else() {
    assert_eq!(tidemill(&["schema", "plan"]).code, 2);
}
