//! Ids, providers and what inputs refer to.

use crate::{compiled, component, pipeline, pipeline_from, plan, refusal, try_compile, warnings};
use serde_json::json;
use tidemill_plan::Target;

#[test]
fn an_unknown_provider_is_refused_with_the_nearest_known_one() {
    let typo = pipeline(&[component("in", "webhok", &[]), component("out", "response", &["text in"])]);
    let alien = pipeline(&[component("in", "webhook", &[]), component("x", "blockchain", &["text in"])]);

    assert_eq!(
        refusal(&typo),
        "unknown_provider /components/0/provider\n\
         component `in` has the unknown provider `webhok`\n\
         hint: did you mean `webhook`?\n"
    );
    assert_eq!(
        refusal(&alien),
        "unknown_provider /components/1/provider\n\
         component `x` has the unknown provider `blockchain`\n\
         hint: known providers are `agent`, `anonymize`, `chat`, `embedding_transformer`, `file_source`, `http_sink`, `llm_openai`, `memory`, `ner`, `ocr`, …\n"
    );
}

#[test]
fn a_repeated_id_is_refused() {
    let twice = pipeline(&[
        component("in", "webhook", &[]),
        component("out", "response", &["text in"]),
        component("out", "response", &["text in"]),
    ]);

    assert_eq!(
        refusal(&twice),
        "duplicate_id /components/2/id\n\
         component 3 has the id of component 2\n\
         hint: give one of them another id than `out`\n"
    );
}

#[test]
fn an_input_from_nowhere_is_refused_with_the_nearest_id() {
    let typo = pipeline(&[component("webhook_1", "webhook", &[]), component("out", "response", &["text webhok_1"])]);
    let alien = pipeline(&[component("in", "webhook", &[]), component("out", "response", &["text elsewhere"])]);

    assert_eq!(
        refusal(&typo),
        "unknown_from /components/1/input/0/from\n\
         component `out` refers to the unknown component `webhok_1`\n\
         hint: did you mean `webhook_1`?\n"
    );
    assert_eq!(
        refusal(&alien),
        "unknown_from /components/1/input/0/from\n\
         component `out` refers to the unknown component `elsewhere`\n\
         hint: known components are `in`, `out`\n"
    );
}

#[test]
fn a_control_to_nowhere_is_refused() {
    let mut llm = component("llm", "llm_openai", &[]);
    llm["control"] = json!([{ "classType": "llm", "from": "agent_9" }]);
    let agent = component("agent_1", "agent", &["questions chat_1"]);

    let refusal = refusal(&pipeline(&[component("chat_1", "chat", &[]), agent, llm]));

    assert_eq!(
        refusal,
        "unknown_from /components/2/control/0/from\n\
         component `llm` refers to the unknown component `agent_9`\n\
         hint: did you mean `agent_1`?\n"
    );
}

#[test]
fn a_component_attached_by_control_is_part_of_the_plan() {
    let mut llm = component("llm", "llm_openai", &[]);
    llm["control"] = json!([{ "classType": "llm", "from": "agent_1" }]);
    let agent = component("agent_1", "agent", &["questions chat_1"]);
    let with_agent = pipeline(&[llm, component("chat_1", "chat", &[]), agent]);

    assert_eq!(plan(&with_agent, Target::default()), ["chat_1: questions>agent_1", "llm:", "agent_1:"]);
    assert!(compiled(&with_agent, Target::default()).warnings.is_empty());
}

#[test]
fn an_input_given_twice_is_a_warning_and_one_edge() {
    let twice = pipeline(&[component("in", "timer", &[]), component("out", "response", &["text in", "text in"])]);

    assert_eq!(plan(&twice, Target::default()), ["in: text>out", "out:"]);
    assert_eq!(
        warnings(&twice, Target::default()),
        "repeated_input /components/1/input/1\n\
         component `out` has the input `text` from `in` twice\n\
         hint: remove one; the value arrives once\n"
    );
}

#[test]
fn a_provider_of_local_files_is_refused_in_the_cloud_only() {
    let files = pipeline_from("in", &[component("in", "file_source", &[]), component("p", "parse", &["tags in"])]);

    assert_eq!(
        refusal(&files),
        "local_only_provider /components/0/provider\n\
         component `in` has the provider `file_source`, which works only in the local plane\n\
         hint: run it with `tidemill dev`, or use a provider that needs no local files\n"
    );
    assert!(try_compile(&files, Target { local: true, ..Target::default() }).is_ok());
}

#[test]
fn problems_beyond_the_limit_of_a_report_are_counted() {
    let many: Vec<_> = (0..1_500).map(|n| component(&format!("c{n}"), "nothing", &[])).collect();

    let problems = try_compile(&pipeline(&many), Target::default()).unwrap_err();

    assert_eq!(problems.len(), 1_001);
    assert_eq!(problems[1_000].message, "500 more problems are not shown, the limit is 1000");
    assert_eq!(problems[1_000].hint, "correct these first, then deploy again");
}
