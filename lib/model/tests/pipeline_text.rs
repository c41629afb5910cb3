//! A pipeline's text: kept as sent, limited by name, refused if readers could disagree about it.

use serde_json::{Value, json};
use tidemill_model::pipeline::{Pipeline, Problem, ProblemCode, limits};

fn refused(text: &str) -> Problem {
    let mut problems = Pipeline::parse(text).expect_err("the text is refused");
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

fn with_config(config: &str) -> String {
    format!(r#"{{"project_id":"p","components":[{{"id":"a","provider":"x","config":{config}}}]}}"#)
}

#[test]
fn the_text_comes_back_as_it_was_sent() {
    let text = " {\n \"z\": 1.0, \"project_id\" : \"p\\u0041é😀\",\t\"a\": 123456789012345678901234567890,\r\n \
                \"components\": [{\"id\":\"a\",\"provider\":\"x\",\"config\":{\"n\":1e2,\"b\":-0.0,\"a\":18446744073709551615}}],\
                \"viewport\": {\"y\": 1, \"x\": 2}, \"unknown\": null} ";

    let pipeline = Pipeline::parse(text).unwrap();

    assert_eq!(pipeline.text(), text);
    assert_eq!(pipeline.project_id().as_str(), "pAé😀");
    let config = pipeline.components()[0].config.as_object().unwrap();
    assert_eq!(config.keys().collect::<Vec<_>>(), ["n", "b", "a"]);
    assert_eq!(config["a"], json!(u64::MAX));
    assert_eq!(pipeline.into_text(), text);
}

#[test]
fn a_text_of_the_largest_size_is_read_and_one_byte_more_is_not() {
    let text = with_config("{}");
    let largest = format!("{text}{}", " ".repeat(limits::TEXT_BYTES - text.len()));

    assert!(Pipeline::parse(largest.as_str()).is_ok());

    let problem = refused(&format!("{largest} "));
    assert_eq!(problem.code, ProblemCode::TooLarge);
    assert_eq!(problem.message, "pipeline has 4194305 bytes, the limit is 4 MiB (4194304 bytes)");
    assert_eq!(problem.hint, "move large texts out of the configs, or split the pipeline");
}

#[test]
fn a_hundred_levels_are_read_and_one_more_is_not() {
    // The pipeline, its list, the component and the config are four levels.
    let nested = |levels: usize| with_config(&format!("{{\"a\":\n{}{}}}", "[".repeat(levels), "]".repeat(levels)));

    assert!(Pipeline::parse(nested(96)).is_ok());

    let problem = refused(&nested(97));
    assert_eq!(problem.code, ProblemCode::TooDeep);
    assert_eq!(problem.message, "pipeline is nested deeper than 100 levels at line 2");
    assert_eq!(problem.hint, "flatten the config there");
}

#[test]
fn a_million_brackets_do_not_exhaust_the_stack() {
    assert_eq!(refused(&"[".repeat(1_000_000)).code, ProblemCode::TooDeep);
    assert_eq!(refused(&"{\"a\":".repeat(500_000)).code, ProblemCode::TooDeep);
}

#[test]
fn brackets_in_strings_are_not_levels() {
    let text = with_config(&format!(r#"{{"a":"\"{}\\"}}"#, "[{".repeat(500)));

    assert!(Pipeline::parse(text).is_ok());
}

#[test]
fn two_thousand_components_are_read_and_one_more_is_not() {
    let pipeline = |count: usize| {
        let list: Vec<Value> =
            (0..count).map(|n| json!({ "id": n.to_string(), "provider": "x", "config": {} })).collect();
        json!({ "project_id": "p", "components": list }).to_string()
    };

    assert_eq!(Pipeline::parse(pipeline(2_000)).unwrap().components().len(), 2_000);

    let problem = refused(&pipeline(2_001));
    assert_eq!(problem.code, ProblemCode::TooManyComponents);
    assert_eq!(problem.message, "pipeline has 2001 components, the limit is 2000");
    assert_eq!(problem.hint, "split it into several pipelines");
}

#[test]
fn a_repeated_key_is_refused_also_if_it_is_spelt_differently() {
    let problem = refused(&with_config(r#"{"n":{"a":1,"\u0061":2}}"#));

    assert_eq!(problem.code, ProblemCode::DuplicateKey);
    assert_eq!(problem.message, "pipeline has the key `a` twice at line 1 column 86");
    assert_eq!(problem.hint, "remove one of the two, or rename it");
}

#[test]
fn text_that_is_not_json_is_refused_with_its_place() {
    let problem = refused("{\"project_id\": \"p\",}");

    assert_eq!(problem.code, ProblemCode::NotJson);
    assert_eq!(problem.message, "pipeline is not JSON: trailing comma at line 1 column 20");
    assert_eq!(problem.hint, "correct the text there; comments and trailing commas are not JSON");
    for text in ["", "{} {}", "{\"a\":\"\\ud800\"}", "{\"a\":1e999}", "\u{feff}{}", "nul"] {
        assert_eq!(refused(text).code, ProblemCode::NotJson, "{text:?}");
    }
}
