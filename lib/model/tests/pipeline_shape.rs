//! The shape of a pipeline: each rule of the format word for word, and all that break at once.

use serde_json::{Value, json};
use tidemill_model::pipeline::{Control, Input, Pipeline, Problem};

fn sound() -> Value {
    json!({ "project_id": "p", "components": [{ "id": "a", "provider": "x", "config": {} }] })
}

fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{}: {}", problem.field.as_deref().unwrap_or("-"), problem.message)).collect()
}

/// The only problem of a sound pipeline in which the value at `pointer` was replaced: its place, message and hint.
#[track_caller]
fn changed(pointer: &str, value: Value) -> (String, String) {
    let mut pipeline = sound();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    pipeline.pointer_mut(parent).expect("the parent exists")[key] = value;
    refused(&pipeline)
}

#[track_caller]
fn refused(pipeline: &Value) -> (String, String) {
    let problems = Pipeline::parse(pipeline.to_string()).expect_err("it is refused");
    assert_eq!(problems.len(), 1, "{problems:?}");
    (lines(&problems).remove(0), problems[0].hint.clone())
}

fn said(line: &str, hint: &str) -> (String, String) {
    (line.to_owned(), hint.to_owned())
}

#[test]
fn the_view_holds_what_a_compiler_needs() {
    let text = json!({
        "project_id": "p", "source": "a", "name": "N", "description": "D", "version": 1,
        "components": [
            { "id": "a", "provider": "x", "config": {}, "ui": { "x": 1 }, "input": null, "control": null },
            { "id": "b", "provider": "y", "config": { "profile": "f", "f": {}, "parameters": {},
              "secureParameters": { "secure": [], "token": "" } },
              "input": [{ "lane": "text", "from": "a" }], "control": [{ "classType": "llm", "from": "a" }] },
        ],
    });

    let pipeline = Pipeline::parse(text.to_string()).unwrap();

    assert_eq!((pipeline.name(), pipeline.description(), pipeline.source()), (Some("N"), Some("D"), Some("a")));
    assert_eq!(pipeline.components()[0].input, []);
    assert_eq!(pipeline.components()[1].input, [Input { lane: "text".into(), from: "a".into() }]);
    assert_eq!(pipeline.components()[1].control, [Control { class: "llm".into(), from: "a".into() }]);
}

#[test]
fn a_pipeline_that_is_no_object_is_refused() {
    let problems = Pipeline::parse("[1]").unwrap_err();

    assert_eq!(problems[0].message, "pipeline is a list, expected an object");
    assert_eq!(problems[0].hint, "send `{\"project_id\": …, \"components\": […]}`");
}

#[test]
fn the_pipelines_own_fields_are_checked() {
    let add = "list at least one component: `{\"id\": …, \"provider\": …, \"config\": {}}`";
    let mut nameless = sound();
    nameless.as_object_mut().unwrap().remove("project_id");

    assert_eq!(
        refused(&nameless),
        said("/project_id: pipeline has no `project_id`", "add `\"project_id\"` with a name of your choice")
    );
    assert_eq!(
        changed("/project_id", json!(7)),
        said(
            "/project_id: pipeline has a number as `project_id`, expected a string",
            "write the project's id in quotes"
        )
    );
    assert_eq!(changed("/project_id", json!("")), said("/project_id: project id is empty", "give 1 to 256 characters"));
    assert_eq!(
        changed("/version", json!(2)),
        said(
            "/version: pipeline has version `2` of the format, only 1 is known",
            "set `\"version\": 1` or leave it out"
        )
    );
    assert_eq!(
        changed("/source", json!(["a"])),
        said(
            "/source: pipeline has a list as `source`, expected a string",
            "give the id of the component to start at, or leave it out"
        )
    );
    assert_eq!(changed("/components", json!([])), said("/components: pipeline has no components", add));
    assert_eq!(
        changed("/components", json!({})),
        said("/components: pipeline has an object as `components`, expected a list", add)
    );
}

#[test]
fn the_profile_and_the_parameters_of_a_config_are_checked() {
    let config = |config: Value| changed("/components/0/config", config);

    assert_eq!(
        config(json!({ "profile": "" })),
        said(
            "/components/0/config/profile: component `a` has an empty `config.profile`",
            "name a profile, or leave it out"
        )
    );
    assert_eq!(
        config(json!({ "profile": "f/1", "f/1": 3 })),
        said(
            "/components/0/config/f~11: component `a` has a number as its profile `f/1`, expected an object",
            "write the profile's settings as an object, or remove it to use the profile as it is"
        )
    );
    assert_eq!(
        config(json!({ "parameters": [] })),
        said(
            "/components/0/config/parameters: component `a` has a list as `config.parameters`, expected an object",
            "write an object of names and values, or leave it out"
        )
    );
    assert_eq!(
        config(json!({ "secureParameters": { "secure": "x" } })),
        said(
            "/components/0/config/secureParameters: component `a` has `config.secureParameters` of another form",
            "write `{\"secure\": [], \"token\": \"\"}`, or leave it out"
        )
    );
}

#[test]
fn everything_wrong_with_the_shape_is_reported_at_once_and_in_order() {
    let problems = Pipeline::parse(
        json!({
            "version": "1",
            "components": [
                7,
                { "provider": "x", "config": {} },
                { "id": "", "provider": 1, "config": [] },
                { "id": "c", "input": [1, { "lane": "text" }, { "lane": 2, "from": "" }], "control": {} },
                { "id": "x".repeat(257), "provider": "x", "config": {}, "control": [{ "from": "a" }] },
            ],
        })
        .to_string(),
    )
    .unwrap_err();

    let long = format!("`{}…`", "x".repeat(60));
    assert_eq!(
        lines(&problems),
        [
            "/project_id: pipeline has no `project_id`",
            "/version: pipeline has version `\"1\"` of the format, only 1 is known",
            "/components/0: component 1 is a number, expected an object",
            "/components/1/id: component 2 has no `id`",
            "/components/2/id: component 3 has an empty `id`",
            "/components/2/provider: component 3 has a number as `provider`, expected a string",
            "/components/2/config: component 3 has a list as `config`, expected an object",
            "/components/3/provider: component `c` has no `provider`",
            "/components/3/config: component `c` has no `config`",
            "/components/3/input/0: component `c` has a number as `input[0]`, expected an object",
            "/components/3/input/1/from: component `c` has no `input[1].from`",
            "/components/3/input/2/lane: component `c` has a number as `input[2].lane`, expected a string",
            "/components/3/control: component `c` has an object as `control`, expected a list",
            &format!("/components/4/id: component {long} has an id of 257 characters, the limit is 256"),
            "/components/4/control/0/classType: component 5 has no `control[0].classType`",
        ]
    );
    assert_eq!(problems[7].component.as_deref(), Some("c"));
    assert_eq!(
        serde_json::to_value(&problems[3]).unwrap(),
        json!({
            "code": "missing_field", "field": "/components/1/id", "message": "component 2 has no `id`",
            "hint": "give every component an id of its own, e.g. `\"id\": \"parse_1\"`",
        })
    );
}
