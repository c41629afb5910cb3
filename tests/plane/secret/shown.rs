//! What gets out of a secret, wherever a pipeline puts it: nothing of it is shown, and nothing of it is run.

use crate::given::{chain, ran};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, seconds};

/// Values that mean something to a template, to jq, to JSON, to a URL or to a log.
fn odd_values() -> Vec<String> {
    let long: String = (0..500).map(|number| format!("k{number:04}-ab{}", number % 7)).collect();
    vec![
        "{{ 6 * 7 }} horse-battery".to_owned(),
        "correct\" + env.HOME + \"horse-battery".to_owned(),
        "correct\\(1 + 1)-horse-$__prog__-battery".to_owned(),
        "it's \"correct\\horse\\battery\"".to_owned(),
        "correct-horse\nbattery staple \r\n  third-line-of-it".to_owned(),
        "Correct-Horse.Battery.Example".to_owned(),
        "98765432109876543210".to_owned(),
        long[..4_000].to_owned(),
    ]
}

/// Pipelines that put `${S}` in every place of a config, and fail by it in every way.
fn pipelines() -> Vec<Value> {
    let (timer, end) = (("timer", json!({}), "text"), ("response", json!({"laneName": "${S}"}), ""));
    let template = |text: &str| ("template", json!({"template": text}), "text");
    let jq = |program: &str| ("json", json!({"program": program}), "documents");
    let http = |url: &str| ("http_request", json!({"url": url, "retries": 0, "headers": {"X-Key": "${S}"}}), "text");
    let links: Vec<(&str, Value, &str)> = vec![
        template("<${S}> {{ '${S}' }} {{ '${S}' | tojson }} {{ '${S}' | urlencode }}"),
        ("log", json!({"event": "${S}"}), "text"),
        jq("{\"${S}\": \"${S}\", bare: ${S}, twice: ({a: \"${S}\"} | tojson | tojson)}"),
        jq("[\"${S}\" | @base64, @uri, @html, @sh]"),
        jq("error(\"it is ${S}\")"),
        jq("{\"${S}\": 1} | error"),
        jq("\"a padding of some length so that the value is cut ${S}\" | tonumber"),
        template("{{ '${S}' | round }}"),
        template("{{ ('padding ' ~ '${S}') | int }}"),
        template("{{ {}['${S}'].x }}"),
        http("http://127.0.0.1:1/${S}?q=${S}"),
        http("http://${S}/"),
        http("${S}"),
        ("file_sink", json!({"path": "${S}"}), "text"),
    ];
    let of_link = |(number, link): (usize, (&str, Value, &str))| {
        let is_sink = ["log", "file_sink"].contains(&link.0);
        let all = [timer.clone(), link, end.clone()];
        chain(&format!("p{number}"), if is_sink { &all[..2] } else { &all })
    };
    links.into_iter().enumerate().map(of_link).collect()
}

/// Every text and every name of an answer, as it is and as the texts in it are.
fn texts(answer: &Value, found: &mut Vec<String>) {
    match answer {
        Value::String(text) => {
            found.push(text.to_lowercase());
            if let Ok(inner @ (Value::Object(_) | Value::Array(_) | Value::String(_))) = serde_json::from_str(text) {
                texts(&inner, found);
            }
        }
        Value::Number(number) => found.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            found.push(name.to_lowercase());
            texts(field, found);
        }),
        _ => {}
    }
}

async fn answers_about(world: &TestPlane, user: &User, project: &str) -> Vec<Value> {
    let run = ran(world, user, project).await;
    world.advance(seconds(10)).await;
    let path = format!("/v1/runs/{}", run["id"].as_str().unwrap());
    let mut answers = vec![run];
    for path in [path.clone(), format!("{path}/logs"), format!("/v1/deployments/{project}"), "/v1/runs".to_owned()] {
        answers.push(user.get(&path).await.ok());
    }
    answers
}

#[tokio::test]
async fn no_piece_of_a_secret_is_shown_wherever_the_pipeline_puts_it() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let pipelines = pipelines();
    for pipeline in &pipelines {
        ana.deploy(pipeline.clone(), "manual").await.ok();
    }

    for value in odd_values() {
        ana.put("/v1/secrets/S", json!({"value": value})).await.ok();
        let letters: Vec<char> = value.to_lowercase().chars().collect();
        let pieces: Vec<String> = letters.windows(8).map(|piece| piece.iter().collect()).collect();
        for pipeline in &pipelines {
            let project = pipeline["project_id"].as_str().unwrap();
            let mut shown = Vec::new();
            answers_about(&world, &ana, project).await.iter().for_each(|answer| texts(answer, &mut shown));
            for piece in &pieces {
                let text = shown.iter().find(|text| text.contains(piece.as_str()));
                assert!(text.is_none(), "{piece:?} of {value:.60} in {}: {text:?}", pipeline["components"][1]);
            }
        }
    }
}

#[tokio::test]
async fn a_secret_is_bound_to_a_program_and_a_template_and_not_pasted_into_them() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.put("/v1/secrets/S", json!({"value": "{{ 6 * 7 }}\" + \"42"})).await.ok();
    let links = [("timer", json!({}), "text"), ("template", json!({"template": "${S} {{ '${S}' }}"}), "text")];
    let program = ("json", json!({"program": "[., \"${S}\"] | map(length)"}), "documents");
    ana.deploy(chain("p", &[&links[..], &[program, ("response", json!({}), "")]].concat()), "manual").await.ok();

    let run = ran(&world, &ana, "p").await;

    assert_eq!(run["result"]["documents"], json!([[37, 18]]), "{run}");
}
