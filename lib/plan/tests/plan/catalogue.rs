//! Declarations like those of an engine and of the peer's nodes, enough to compile realistic pipelines. No code is
//! behind them. The bench uses them too.

use serde_json::{Value, json};
use tidemill_model::lane::Lane::{self, *};
use tidemill_plan::{Catalogue, Class, Provider, Target, TextKind, TextProblem};

pub fn catalogue() -> Catalogue {
    let any = || json!({});
    let providers = [
        source("webhook", Class::WaitingSource, &[Tags, Text, Audio, Video, Image, Questions]),
        source("chat", Class::WaitingSource, &[Questions]),
        source("timer", Class::Source, &[Text]),
        Provider { local_only: true, ..source("file_source", Class::Source, &[Tags]) },
        transform("parse", &[(Tags, &[Text, Table, Image, Video, Audio])], any()),
        transform("ocr", &[(Image, &[Text, Table])], any()),
        transform("ner", &[(Text, &[Text])], any()),
        transform("anonymize", &[(Text, &[Text])], any()),
        transform("preprocessor_langchain", &[(Text, &[Documents]), (Table, &[Documents])], any()),
        transform("embedding_transformer", &[(Documents, &[Documents]), (Questions, &[Questions])], any()),
        transform("qdrant", &[(Documents, &[]), (Questions, &[Documents, Answers, Questions])], any()),
        transform("prompt", &[(Documents, &[]), (Text, &[]), (Table, &[]), (Questions, &[Questions])], any()),
        transform("llm_openai", &[(Questions, &[Answers])], any()),
        transform("agent", &[(Questions, &[Answers])], any()),
        transform("memory", &[(Questions, &[Questions]), (Answers, &[Answers])], any()),
        transform("template", &[(Text, &[Text])], template_config()),
        sink("http_sink", &[Text], http_config()),
        sink("response_text", &[Text], any()),
        sink("response_answers", &[Answers], any()),
        sink("response", &[Text, Table, Documents, Questions, Answers, Audio, Video, Image], response_config()),
        transform("program", &[(Text, &[Text])], program_config()),
    ];
    Catalogue::new(providers, check)
}

/// A program fails at its first `!`.
fn check(kind: TextKind, text: &str, _: &Target<'_>) -> Result<(), TextProblem> {
    match text.find('!').filter(|_| kind == TextKind::Jq) {
        Some(at) => {
            Err(TextProblem { message: "is no program".into(), hint: "leave `!` out".into(), offset: Some(at) })
        }
        None => Ok(()),
    }
}

fn program_config() -> Value {
    let program = json!({ "type": "string", "x-tidemill": "jq" });
    json!({
        "type": "object",
        "properties": {
            "program": program,
            "list": { "type": "array", "items": { "anyOf": [program, { "type": "integer" }] } },
            "map": { "type": "object", "propertyNames": { "x-tidemill": "jq" }, "additionalProperties": program },
            "title": { "type": "string", "x-tidemill": "text" },
        },
    })
}

fn template_config() -> Value {
    json!({
        "type": "object",
        "required": ["template"],
        "properties": {
            "template": { "type": "string", "minLength": 1 },
            "strict": { "type": "boolean" },
        },
    })
}

fn http_config() -> Value {
    json!({
        "type": "object",
        "properties": {
            "url": { "type": "string", "format": "uri" },
            "method": { "enum": ["GET", "POST", "PUT"] },
            "token": { "type": "string", "pattern": "^[a-z]{4}$", "maxLength": 4 },
            "attempts": { "type": "integer", "minimum": 1, "maximum": 10 },
            "headers": {
                "type": "object",
                "properties": { "accept": { "type": "string" }, "x/y": { "type": "string" } },
                "additionalProperties": false,
            },
            "spool": { "type": "string", "x-unique": true },
            "body": { "anyOf": [{ "type": "string", "pattern": "^<" }, { "type": "object" }] },
        },
    })
}

fn response_config() -> Value {
    json!({
        "type": "object",
        "properties": { "laneName": { "type": "string" }, "lanes": { "type": "array", "items": { "type": "object" } } },
    })
}

fn source(name: &'static str, class: Class, gives: &[Lane]) -> Provider {
    Provider { class, gives: gives.to_vec(), ..transform(name, &[], json!({})) }
}

fn sink(name: &'static str, takes: &[Lane], config: Value) -> Provider {
    let lanes = takes.iter().map(|lane| (*lane, vec![])).collect();
    Provider { class: Class::Sink, lanes, ..transform(name, &[], config) }
}

fn transform(name: &'static str, lanes: &[(Lane, &[Lane])], config: Value) -> Provider {
    Provider {
        name,
        title: name,
        description: "",
        class: Class::Transform,
        lanes: lanes.iter().map(|(lane, gives)| (*lane, gives.to_vec())).collect(),
        gives: vec![],
        config,
        local_only: false,
    }
}
