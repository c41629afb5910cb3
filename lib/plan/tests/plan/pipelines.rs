//! The realistic pipelines of the format.

use crate::{compiled, component, configured, pipeline, pipeline_from, plan, refusal};
use serde_json::{Value, json};
use tidemill_plan::Target;

#[test]
fn the_echo_compiles() {
    let source = json!({ "hideForm": true, "mode": "Source", "parameters": {}, "type": "webhook" });
    let echo = pipeline_from(
        "webhook_1",
        &[
            configured("webhook_1", "webhook", &[], source.clone()),
            configured("response_1", "response", &["text webhook_1"], json!({ "lanes": [] })),
        ],
    );

    let compiled = compiled(&echo, Target::default());

    assert_eq!(plan(&echo, Target::default()), ["webhook_1: text>response_1", "response_1:"]);
    assert_eq!(compiled.plan.source().config, source);
    assert_eq!(compiled.warnings, []);
    let stored = serde_json::to_string(&compiled.plan).unwrap();
    assert_eq!(serde_json::from_str::<tidemill_plan::Plan>(&stored).unwrap(), compiled.plan);
}

#[test]
fn the_document_processor_compiles() {
    let documents = pipeline(&[
        component("response", "response_text", &["text anonymize"]),
        component("anonymize", "anonymize", &["text ner"]),
        component("ner", "ner", &["text parse", "text ocr"]),
        component("ocr", "ocr", &["image parse"]),
        component("parse", "parse", &["tags webhook"]),
        component("webhook", "webhook", &[]),
    ]);

    assert_eq!(
        plan(&documents, Target::default()),
        [
            "webhook: tags>parse",
            "parse: text>ner image>ocr",
            "ocr: text>ner",
            "ner: text>anonymize",
            "anonymize: text>response",
            "response:"
        ]
    );
    assert_eq!(compiled(&documents, Target::default()).warnings, []);
}

fn rag() -> [Value; 9] {
    [
        component("webhook", "webhook", &[]),
        component("parse", "parse", &["tags webhook"]),
        component("split", "preprocessor_langchain", &["text parse"]),
        component("embed", "embedding_transformer", &["documents split", "questions chat"]),
        component("store", "qdrant", &["documents embed", "questions embed"]),
        component("chat", "chat", &[]),
        component("prompt", "prompt", &["documents store", "questions store"]),
        component("llm", "llm_openai", &["questions prompt"]),
        component("answers", "response_answers", &["answers llm"]),
    ]
}

#[test]
fn the_rag_compiles_from_either_source() {
    let ingest = pipeline_from("webhook", &rag());
    let ask = pipeline_from("chat", &rag());

    assert_eq!(
        plan(&ingest, Target::default()),
        ["webhook: tags>parse", "parse: text>split", "split: documents>embed", "embed: documents>store", "store:"]
    );
    assert_eq!(
        plan(&ask, Target::default()),
        [
            "chat: questions>embed",
            "embed: questions>store",
            "store: documents>prompt questions>prompt",
            "prompt: questions>llm",
            "llm: answers>answers",
            "answers:"
        ]
    );
    assert_eq!(compiled(&ingest, Target::default()).warnings, []);
    assert_eq!(compiled(&ask, Target::default()).warnings, []);
}

#[test]
fn the_rag_without_a_source_is_refused() {
    let refusal = refusal(&pipeline(&rag()));

    assert_eq!(
        refusal,
        "ambiguous_source /source\n\
         pipeline has 2 sources and does not say where to start: a call would start `webhook`, `chat`\n\
         hint: write `\"source\": \"webhook\"` into the pipeline, or deploy it with `--source webhook`; or put the others \
         into pipelines of their own\n"
    );
}
