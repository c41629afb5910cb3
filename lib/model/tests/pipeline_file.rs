//! Deploy files: wrapped and flat, and what is wrong with the wrapper.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use tidemill_model::pipeline::{Problem, unwrap_file};

fn refused(text: &str) -> Vec<(String, String)> {
    let said = |problem: Problem| (format!("{}: {}", problem.field.unwrap_or_default(), problem.message), problem.hint);
    unwrap_file(text).unwrap_err().into_iter().map(said).collect()
}

#[test]
fn a_wrapped_pipeline_comes_out_to_the_byte() {
    let inner = "{ \"n\": 123456789012345678901234567890,\n\t\"x\": 1.0, \"é\": \"\\u0041\" }";
    let text = format!(
        "{{\"schedule\": \"*/5 * * * *\", \"pipeline\" :  {inner} , \"timezone\": \"Europe/Berlin\", \"environment\": null,
          \"maxAttempts\": 3, \"catchUpSeconds\": 60, \"timeoutSeconds\": null, \"note\": \"first\"}}"
    );

    let file = unwrap_file(&text).unwrap();

    assert_eq!(file.pipeline_text, inner);
    assert_eq!(file.schedule.as_deref(), Some("*/5 * * * *"));
    assert_eq!(file.timezone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(file.environment, None);
    assert_eq!(json!(file.options), json!({ "maxAttempts": 3, "catchUpSeconds": 60, "note": "first" }));
}

#[test]
fn a_flat_pipeline_is_the_whole_file() {
    let text = " {\"project_id\": \"p\", \"schedule\": \"kept as an unknown field\"}\n";

    let file = unwrap_file(text).unwrap();

    assert_eq!(file.pipeline_text, text);
    assert_eq!(file.schedule, None);
    assert!(file.options.is_empty());
}

#[test]
fn unknown_and_mistyped_outer_fields_are_refused_at_once() {
    let problems = refused(
        &json!({ "pipeline": {}, "shedule": "* * * * *", "colour": 1, "schedule": 5, "maxAttempts": -1, "note": "x".repeat(513) })
            .to_string(),
    );

    let said = |line: &str, hint: &str| (line.to_owned(), hint.to_owned());
    assert_eq!(
        problems,
        [
            said("/shedule: deploy file has the unknown field `shedule`", "did you mean `schedule`?"),
            said(
                "/colour: deploy file has the unknown field `colour`",
                "known fields are `pipeline`, `schedule`, `timezone`, `environment`, `catchUpSeconds`, `maxAttempts`, \
                 `timeoutSeconds`, `note`"
            ),
            said("/schedule: deploy file has `5` as `schedule`, expected a string", "give a string, or leave it out"),
            said(
                "/maxAttempts: deploy file has `-1` as `maxAttempts`, expected a whole number",
                "give a whole number, or leave it out"
            ),
            said("/note: deploy file has a note of 513 characters, the limit is 512", "shorten it to 512 characters"),
        ]
    );
}

#[test]
fn a_wrapper_without_an_object_or_with_a_repeated_field_is_refused() {
    assert_eq!(
        refused(r#"{"pipeline": "p.json"}"#)[0],
        ("/pipeline: deploy file has a string as `pipeline`, expected an object".into(), "give an object".into())
    );
    assert!(refused(r#"{"pipeline": {}, "pipeline": {}}"#)[0].0.contains("has the key `pipeline` twice"));
    assert!(refused("{\"pipeline\": ")[0].0.contains("deploy file is not JSON"));
}
