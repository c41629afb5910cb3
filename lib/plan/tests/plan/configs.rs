//! Configs against the providers' schemas.

use crate::{compiled, component, configured, pipeline, refusal, warnings};
use serde_json::{Value, json};
use tidemill_plan::Target;

fn sink(config: Value) -> Value {
    pipeline(&[component("in", "timer", &[]), configured("out", "http_sink", &["text in"], config)])
}

fn template(config: Value) -> Value {
    pipeline(&[component("in", "timer", &[]), configured("t", "template", &["text in"], config)])
}

#[test]
fn a_missing_property_is_named() {
    assert_eq!(
        refusal(&template(json!({}))),
        "missing_property /components/1/config/template\n\
         component `t` has no `config.template`\n\
         hint: add it: `template` needs it\n"
    );
}

#[test]
fn an_unknown_property_is_a_warning_with_the_nearest_known_one() {
    let warned = |pipeline: &Value| warnings(pipeline, Target::default());

    assert_eq!(
        warned(&template(json!({ "template": "x", "strct": true }))),
        "unknown_property /components/1/config/strct\n\
         component `t` has the unknown property `config.strct`\n\
         hint: it has no effect; did you mean `strict`?\n"
    );
    assert_eq!(
        warned(&template(json!({ "template": "x", "colour": 1 }))),
        "unknown_property /components/1/config/colour\n\
         component `t` has the unknown property `config.colour`\n\
         hint: it has no effect; known properties are `template`, `strict`\n"
    );
    assert_eq!(
        warned(&sink(json!({ "headers": { "acept": "x" } }))),
        "unknown_property /components/1/config/headers/acept\n\
         component `out` has the unknown property `config.headers.acept`\n\
         hint: it has no effect; did you mean `accept`?\n"
    );
}

#[test]
fn a_misspelt_name_and_the_missing_property_that_it_means_are_one_problem() {
    assert_eq!(
        refusal(&template(json!({ "templat": "x" }))),
        "unknown_property /components/1/config/templat\n\
         component `t` has the unknown property `config.templat` and no `config.template`\n\
         hint: did you mean `template`?\n"
    );
    assert_eq!(
        refusal(&template(json!({ "colour": 1 }))),
        "missing_property /components/1/config/template\n\
         component `t` has no `config.template`\n\
         hint: add it: `template` needs it\n"
    );
}

#[test]
fn two_components_that_would_stand_in_each_others_way_are_refused() {
    let sinks = |one: &str, other: &str| {
        pipeline(&[
            component("in", "timer", &[]),
            configured("a", "http_sink", &["text in"], json!({ "spool": one })),
            configured("b", "http_sink", &["text in"], json!({ "spool": other })),
        ])
    };

    assert_eq!(
        refusal(&sinks("x", "x")),
        "invalid_config /components/2/config/spool\n\
         components `a` and `b` have the same `config.spool`\n\
         hint: give each `http_sink` another one\n"
    );
    compiled(&sinks("x", "y"), Target::default());
}

#[test]
fn each_violation_is_reported_with_its_place_and_what_is_allowed() {
    let refusal = refusal(&sink(json!({
        "url": "not a url",
        "method": "PATCH",
        "token": "SECRET",
        "attempts": 99,
        "headers": { "accept": 1, "x/y": [] },
        "body": "text",
    })));

    assert_eq!(
        refusal,
        "invalid_config /components/1/config/url\n\
         component `out` has a text of another form as `config.url`\n\
         hint: it has to be a valid `uri`\n\
         invalid_config /components/1/config/method\n\
         component `out` has `PATCH` as `config.method`\n\
         hint: allowed are `GET`, `POST`, `PUT`\n\
         invalid_config /components/1/config/token\n\
         component `out` has too long a text as `config.token`\n\
         hint: give at most 4 characters\n\
         invalid_config /components/1/config/token\n\
         component `out` has a text of another form as `config.token`\n\
         hint: it has to match `^[a-z]{4}$`\n\
         invalid_config /components/1/config/attempts\n\
         component `out` has `99` as `config.attempts`\n\
         hint: give at most 10\n\
         invalid_config /components/1/config/headers/accept\n\
         component `out` has a number as `config.headers.accept`\n\
         hint: give a string\n\
         invalid_config /components/1/config/headers/x~1y\n\
         component `out` has a list as `config.headers.x/y`\n\
         hint: give a string\n\
         invalid_config /components/1/config/body\n\
         component `out` has a string as `config.body`\n\
         hint: it has to match `^<`, or give an object\n"
    );
    assert!(!refusal.contains("SECRET"), "a text may be a secret");
}

#[test]
fn a_wrong_type_is_refused_even_for_a_secret() {
    assert_eq!(
        refusal(&sink(json!({ "attempts": "${ATTEMPTS}" }))),
        "invalid_config /components/1/config/attempts\n\
         component `out` has a string as `config.attempts`\n\
         hint: give a whole number\n"
    );
    assert_eq!(
        refusal(&sink(json!({ "attempts": 1.5 }))),
        "invalid_config /components/1/config/attempts\n\
         component `out` has a number as `config.attempts`\n\
         hint: give a whole number\n"
    );
    assert_eq!(
        refusal(&template(json!({ "template": "" }))),
        "invalid_config /components/1/config/template\n\
         component `t` has an empty text as `config.template`\n\
         hint: give at least 1 character\n"
    );
}

#[test]
fn a_text_with_a_secret_is_not_checked_for_its_form() {
    let secrets = json!({ "url": "${URL}", "method": "${METHOD}", "token": "x-${A_1}", "body": "${BODY}" });

    compiled(&sink(secrets), Target::default());

    for text in ["${}", "${1A}", "${A B}", "${A", "$A", "{A}"] {
        assert!(refusal(&sink(json!({ "token": text }))).contains("has to match"), "{text}");
    }
}

#[test]
fn the_fields_of_the_format_are_allowed_in_every_config() {
    let config = json!({
        "hideForm": true, "mode": "Transform", "type": "template", "profile": "fast", "fast": { "depth": 1 },
        "parameters": {}, "secureParameters": { "secure": [], "token": "" }, "template": "x",
        "name": "Digest", "description": "", "actions": [],
    });

    assert_eq!(warnings(&template(config), Target::default()), "");

    let other = json!({ "template": "x", "profile": "fast", "slow": {} });
    assert!(warnings(&template(other), Target::default()).contains("unknown property `config.slow`"));
    let nested = json!({ "headers": { "mode": "x" } });
    assert!(warnings(&sink(nested), Target::default()).contains("unknown property `config.headers.mode`"));
}
