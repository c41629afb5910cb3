//! The JSON Schemas (draft 2020-12) of what people write: a pipeline, a deploy file. Editors complete and check by them.
//!
//! They are made from the catalogue, and refuse nothing that the compiler takes. The compiler sees more: ids that do not
//! exist, lanes that do not fit, programs that cannot be read.

use crate::provider::Provider;
use serde_json::{Map, Value, json};
use tidemill_model::lane::Lane;
use tidemill_model::pipeline::limits;

/// What a schema describes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// Either of the two: what a file may hold.
    #[default]
    File,
    /// A pipeline.
    Pipeline,
    /// A pipeline in a wrapper that says when it runs.
    Deploy,
}

impl Subject {
    /// Every subject that has a name.
    pub const NAMED: [Subject; 2] = [Subject::Pipeline, Subject::Deploy];

    /// `pipeline` or `deploy`; empty for either.
    pub fn as_str(self) -> &'static str {
        match self {
            Subject::File => "",
            Subject::Pipeline => "pipeline",
            Subject::Deploy => "deploy",
        }
    }

    /// Finds a subject by its name.
    pub fn named(name: &str) -> Option<Subject> {
        Subject::NAMED.into_iter().find(|subject| subject.as_str() == name)
    }
}

/// Makes a schema for pipelines of these providers.
pub fn schema<'a>(subject: Subject, providers: impl Iterator<Item = &'a Provider> + Clone) -> Value {
    let mut schema = match subject {
        Subject::File => json!({
            "title": "Tidemill pipeline or deploy file",
            "type": "object",
            "if": { "required": ["pipeline"] },
            "then": { "$ref": "#/$defs/deploy" },
            "else": { "$ref": "#/$defs/pipeline" },
        }),
        Subject::Pipeline => json!({ "title": "Tidemill pipeline", "$ref": "#/$defs/pipeline" }),
        Subject::Deploy => json!({ "title": "Tidemill deploy file", "$ref": "#/$defs/deploy" }),
    };
    let mut definitions = Map::new();
    if subject != Subject::Pipeline {
        definitions.insert("deploy".to_owned(), deploy());
    }
    definitions.insert("pipeline".to_owned(), pipeline());
    definitions.insert("component".to_owned(), component(providers.clone()));
    definitions.insert("lane".to_owned(), json!({ "enum": Lane::ALL.map(Lane::as_str) }));
    for provider in providers {
        definitions.insert(config_name(provider), config(provider));
    }
    let fields = schema.as_object_mut().expect("it is written as an object");
    fields.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    fields.insert("$defs".to_owned(), definitions.into());
    schema
}

const FOR_EDITORS: &str = "The schema that an editor checks this file by. Tidemill does not read it.";

fn deploy() -> Value {
    json!({
        "description": "A pipeline, and beside it when and how it runs.",
        "type": "object",
        "required": ["pipeline"],
        "additionalProperties": false,
        "properties": {
            "$schema": { "type": ["string", "null"], "description": FOR_EDITORS },
            "pipeline": { "$ref": "#/$defs/pipeline" },
            "schedule": {
                "type": ["string", "null"],
                "description": "When it runs: five cron fields, `@hourly` and the like, or `manual`.",
                "examples": ["*/5 * * * *", "@daily", "manual"],
            },
            "timezone": {
                "type": ["string", "null"],
                "description": "The IANA time zone of the schedule; without it, UTC.",
                "examples": ["Europe/Madrid"],
            },
            "environment": {
                "type": ["string", "null"],
                "description": "The environment to deploy to. `tidemill deploy` knows `production`, which need not be named.",
            },
            "catchUpSeconds": {
                "type": ["integer", "null"], "minimum": 0,
                "description": "How late a due run may start after a downtime; 0 skips it.",
            },
            "maxAttempts": {
                "type": ["integer", "null"], "minimum": 1, "description": "How many times a run is tried.",
            },
            "timeoutSeconds": {
                "type": ["integer", "null"], "minimum": 1, "description": "How long a run may take.",
            },
            "note": {
                "type": ["string", "null"], "maxLength": limits::NOTE_CHARACTERS,
                "description": "The reason for a new version, kept with it.",
            },
        },
    })
}

fn pipeline() -> Value {
    json!({
        "description": "A graph of components: a source makes objects, which flow through the others along lanes.",
        "type": "object",
        "required": ["components"],
        "properties": {
            "$schema": { "type": ["string", "null"], "description": FOR_EDITORS },
            "project_id": {
                "type": "string", "minLength": 1,
                "description": "The name of the project. A deploy of the same project updates it. Without it, a file's project \
                    is called as the file is.",
            },
            "name": { "type": ["string", "null"], "description": "What people call it." },
            "description": { "type": ["string", "null"], "description": "What it is for." },
            "version": { "description": "The version of the format, which is 1." },
            "source": {
                "type": ["string", "null"],
                "description": "The id of the component that a run starts at. It may be absent where there is one source, or \
                    one for schedules and one for callers.",
            },
            "components": {
                "description": "The nodes of the graph.",
                "type": "array", "minItems": 1, "maxItems": limits::COMPONENTS,
                "items": { "$ref": "#/$defs/component" },
            },
        },
    })
}

fn component<'a>(providers: impl Iterator<Item = &'a Provider> + Clone) -> Value {
    let choice = |provider: &Provider| json!({ "const": provider.name, "title": provider.title, "description": provider.description });
    let of_provider = |provider: &Provider| {
        json!({
            "if": { "properties": { "provider": { "const": provider.name } }, "required": ["provider"] },
            "then": { "properties": { "config": { "$ref": format!("#/$defs/{}", config_name(provider)) } } },
        })
    };
    let connection = |name: &str, of: Value, from: &str| {
        let mut properties = Map::new();
        properties.insert(name.to_owned(), of);
        properties.insert("from".to_owned(), json!({ "type": "string", "description": from }));
        json!({ "type": "object", "required": [name, "from"], "properties": properties })
    };
    let lane = json!({ "$ref": "#/$defs/lane", "description": "The kind of value that arrives." });
    let class = json!({ "type": "string", "description": "The kind of attachment." });
    json!({
        "description": "A node of the graph: what it is, how it is set up, and what flows into it.",
        "type": "object",
        "required": ["id", "provider", "config"],
        "properties": {
            "id": {
                "type": "string", "minLength": 1, "maxLength": limits::ID_CHARACTERS,
                "description": "Its name within the pipeline.",
            },
            "provider": {
                "description": "Its kind.",
                "type": "string",
                "oneOf": providers.clone().map(choice).collect::<Vec<_>>(),
            },
            "config": { "type": "object", "description": "What its provider lets you set; `{}` if nothing." },
            "input": {
                "type": ["array", "null"],
                "description": "Where its values come from. A source has none.",
                "items": connection("lane", lane, "The id of the component that gives the values."),
            },
            "control": {
                "type": ["array", "null"],
                "description": "What it is attached to.",
                "items": connection("classType", class, "The id of the component that uses it."),
            },
        },
        "allOf": providers.map(of_provider).collect::<Vec<_>>(),
    })
}

fn config_name(provider: &Provider) -> String {
    format!("config.{}", provider.name)
}

/// The provider's own schema, open for the fields of the format and for secrets.
fn config(provider: &Provider) -> Value {
    let mut schema = secret_or(&provider.config);
    if let Some(fields) = schema.as_object_mut() {
        // A name that nothing knows is warned of when the pipeline is compiled, and does no harm.
        fields.remove("additionalProperties");
        fields.insert("title".to_owned(), format!("Config of `{}`", provider.name).into());
    }
    schema
}

/// Keywords that a text with a `${NAME}` need not meet, because only a run knows its value.
const OF_VALUES: [&str; 6] = ["enum", "const", "pattern", "format", "minLength", "maxLength"];

/// A schema without our own keywords, in which a text may have a `${NAME}` wherever another text may stand.
fn secret_or(schema: &Value) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let mut open = Map::new();
    for (name, field) in fields.iter().filter(|(name, _)| !name.starts_with("x-")) {
        let inner = match (name.as_str(), field) {
            ("properties" | "patternProperties" | "$defs", Value::Object(members)) => {
                members.iter().map(|(name, member)| (name.clone(), secret_or(member))).collect()
            }
            ("items" | "additionalProperties" | "not" | "if" | "then" | "else", inner) => secret_or(inner),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(choices)) => {
                choices.iter().map(secret_or).collect()
            }
            _ => field.clone(),
        };
        open.insert(name.clone(), inner);
    }
    let may_be_text = fields.get("type").is_none_or(|kind| {
        kind == "string" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "string"))
    });
    if !may_be_text || !OF_VALUES.iter().any(|keyword| fields.contains_key(*keyword)) {
        return open.into();
    }
    let mut outer = Map::new();
    for name in ["description", "default", "title"] {
        outer.extend(open.remove(name).map(|text| (name.to_owned(), text)));
    }
    let secret = json!({ "type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}" });
    outer.insert("anyOf".to_owned(), json!([open, secret]));
    outer.into()
}
