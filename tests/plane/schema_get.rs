//! The JSON Schemas for editors.

use serde_json::{Value, json};
use std::path::Path;
use tidemill_testing::TestPlane;

async fn schema(world: &TestPlane, of: &str) -> jsonschema::Validator {
    let path = if of.is_empty() { "/v1/schema".to_owned() } else { format!("/v1/schema?of={of}") };
    let schema = world.anonymous().get(&path).await.ok();
    jsonschema::draft202012::new(&schema).expect("it is a JSON Schema")
}

/// Every file of the examples.
fn examples() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let folders = std::fs::read_dir(folder).expect("the examples are there").map(|entry| entry.unwrap().path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|path| std::fs::read_dir(path).unwrap());
    let files =
        files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "pipe"));
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.display().to_string(), serde_json::from_str(&text).expect("the example is JSON"))
    };
    files.map(read).collect()
}

#[tokio::test]
async fn every_example_passes_without_a_key() {
    let world = TestPlane::new().await;
    let (file, pipeline, deploy) =
        (schema(&world, "").await, schema(&world, "pipeline").await, schema(&world, "deploy").await);
    let examples = examples();
    assert!(examples.len() >= 4);

    for (name, example) in examples {
        let errors: Vec<String> =
            file.iter_errors(&example).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
        match example.get("pipeline") {
            Some(inner) => assert!(deploy.is_valid(&example) && pipeline.is_valid(inner), "{name}"),
            None => assert!(pipeline.is_valid(&example) && !deploy.is_valid(&example), "{name}"),
        }
    }
}

fn echo() -> Value {
    json!({
        "$schema": "http://127.0.0.1:5565/v1/schema",
        "project_id": "echo",
        "components": [
            {"id": "in", "provider": "webhook", "config": {}},
            {"id": "call", "provider": "http_request", "config": {"url": "https://example.com", "method": "${METHOD}", "retries": 1, "mine": 1}, "input": [{"lane": "text", "from": "in"}]},
        ],
    })
}

#[tokio::test]
async fn a_secret_may_stand_for_a_choice_and_unknown_fields_do_no_harm() {
    let world = TestPlane::new().await;

    assert!(schema(&world, "pipeline").await.is_valid(&echo()));
}

#[tokio::test]
async fn what_is_broken_is_refused_where_it_is() {
    let world = TestPlane::new().await;
    let pipeline = schema(&world, "pipeline").await;
    let cases = [
        ("/components", json!([]), "/components"),
        ("/components/0/provider", json!("webhok"), "/components/0/provider"),
        ("/components/0/id", json!(7), "/components/0/id"),
        ("/components/1/config/url", json!(7), "/components/1/config/url"),
        ("/components/1/config/method", json!("FETCH"), "/components/1/config/method"),
        ("/components/1/config/retries", json!("often"), "/components/1/config/retries"),
        ("/components/1/input/0/lane", json!("txet"), "/components/1/input/0/lane"),
        ("/components/1/config", json!({}), "/components/1/config"),
    ];
    for (place, value, expected) in cases {
        let mut broken = echo();
        *broken.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value;
        let found: Vec<String> = pipeline.iter_errors(&broken).map(|error| error.instance_path().to_string()).collect();
        assert!(found.iter().any(|found| found == expected), "{place}: {found:?}");
    }
    let deploy = schema(&world, "deploy").await;
    assert!(deploy.is_valid(&json!({"schedule": "@daily", "pipeline": echo()})));
    assert!(!deploy.is_valid(&json!({"shedule": "@daily", "pipeline": echo()})));
    assert!(!deploy.is_valid(&json!({"note": "n".repeat(513), "pipeline": echo()})));
}

#[tokio::test]
async fn there_is_no_schema_of_anything_else() {
    let world = TestPlane::new().await;

    assert_eq!(world.anonymous().get("/v1/schema?of=plan").await.refused(400), "invalid_argument");
}
