//! Texts that an engine reads.

use crate::{compiled, component, configured, pipeline, refusal};
use serde_json::{Value, json};
use tidemill_plan::Target;

fn program(config: Value) -> Value {
    pipeline(&[component("in", "timer", &[]), configured("p", "program", &["text in"], config)])
}

#[test]
fn a_text_that_cannot_work_is_refused_with_its_field_its_position_and_a_hint() {
    assert_eq!(
        refusal(&program(json!({ "program": ".é!" }))),
        "invalid_config /components/1/config/program\n\
         component `p` has a `config.program` that is no program, at character 3\n\
         hint: leave `!` out\n"
    );
    assert_eq!(
        refusal(&program(json!({ "program": ".a\n| !\n" }))),
        "invalid_config /components/1/config/program\n\
         component `p` has a `config.program` that is no program, at line 2, character 3\n\
         hint: leave `!` out\n"
    );
}

#[test]
fn texts_in_lists_in_maps_and_as_names_are_checked() {
    let refused = |config: Value| refusal(&program(config));

    assert!(refused(json!({ "list": [1, "a", "!"] })).contains("/components/1/config/list/2\n"));
    assert!(refused(json!({ "map": { "a/b": "!" } })).contains("has a `config.map.a/b` that is no program"));
    assert!(refused(json!({ "map": { "!": "" } })).contains("/components/1/config/map/!\n"));
}

#[test]
fn a_text_that_nothing_reads_may_be_anything() {
    compiled(&program(json!({ "title": "!", "list": [1], "program": "." })), Target::default());
}
