//! A provider's config schema, compiled once.

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Schema {
    validator: Validator,
    text: Value,
}

/// Says of a property that two components of one pipeline would stand in each other's way with the same value.
const UNIQUE: &str = "x-unique";

/// Keywords that may bring in properties from elsewhere, so that `properties` is not all there is.
const COMPOSING: [&str; 8] =
    ["additionalProperties", "unevaluatedProperties", "patternProperties", "allOf", "anyOf", "oneOf", "if", "$ref"];

impl Schema {
    /// Closes a schema that lists its properties and says nothing of others: a slip in a name should not pass.
    pub fn new(schema: &Value) -> Schema {
        let mut text = schema.clone();
        if let Value::Object(fields) = &mut text
            && fields.contains_key("properties")
            && !COMPOSING.iter().any(|keyword| fields.contains_key(*keyword))
        {
            fields.insert("additionalProperties".into(), Value::Bool(false));
        }
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&text)
            .expect("a provider's schema is a valid JSON Schema");
        Schema { validator, text }
    }

    pub fn violations<'a>(&'a self, config: &'a Value) -> impl Iterator<Item = ValidationError<'a>> {
        self.validator.iter_errors(config)
    }

    /// The properties whose values no two components of a pipeline may share.
    pub fn unique(&self) -> impl Iterator<Item = &str> {
        let properties = self.text.get("properties").and_then(Value::as_object).into_iter().flatten();
        properties.filter(|(_, property)| property[UNIQUE] == true).map(|(name, _)| name.as_str())
    }

    /// The schema itself.
    pub fn text(&self) -> &Value {
        &self.text
    }

    /// The names that are known at the place of the config where a violation with this schema path is.
    pub fn names_at(&self, schema_path: &str) -> Vec<&str> {
        let object = schema_path.rsplit_once('/').map_or("", |(object, _)| object);
        let properties = self.text.pointer(object).and_then(|object| object.get("properties"));
        properties.and_then(Value::as_object).into_iter().flat_map(|names| names.keys().map(String::as_str)).collect()
    }
}
