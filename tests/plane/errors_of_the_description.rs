//! The examples of errors in the API's description are what the plane answers.

use crate::given::checkly::{begin, deployment, envelope, post};
use crate::given::echo;
use http::Method;
use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_operations::Error;
use tidemill_protocols::rest::Response;
use tidemill_testing::{TestPlane, pipeline};

/// The id of a deployment in the examples.
const DEPLOYMENT: &str = "01KAFZ7Q3M8T5V2N9R4C6W1XDB";

/// The example of one of the description's responses.
fn example(response: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/openapi.yaml");
    let text = std::fs::read_to_string(path).expect("the description is there");
    let description: Value = serde_yaml_ng::from_str(&text).expect("the description is YAML");
    description["components"]["responses"][response]["content"]["application/json"]["example"].clone()
}

fn answered(error: &Error) -> Value {
    serde_json::from_slice(&Response::error(error).body).unwrap()
}

/// Every answer that differs from its example, as both are.
fn differences<const N: usize>(answers: [(&str, Value); N]) -> String {
    let differences = answers.into_iter().filter_map(|(response, answer)| {
        let example = example(response);
        (example != answer).then(|| format!("{response}\n  example: {example}\n  answer:  {answer}\n"))
    });
    differences.collect()
}

#[tokio::test]
async fn the_examples_of_errors_are_what_the_plane_answers() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let looker = world.user_with("ana", &[Scope::Monitor]).await;
    let mut wrong = pipeline("access-log-digest");
    wrong["components"][0] = json!({"id": "web_1", "provider": "webhok", "config": {}});
    wrong["source"] = "web_1".into();
    wrong["components"][1]["input"] = json!([{"lane": "text", "from": "web_2"}]);
    let right = json!({"pipeline": pipeline("access-log-digest"), "schedule": "manual"});
    let as_text = [("content-type", "text/csv")];
    let large = vec![b' '; tidemill_protocols::rest::BODY_LIMIT + 1];

    let missing = ana.get("/v1/deployments/access-log-digest").await.body;
    let invalid = ana.post("/v1/deployments", json!({"pipeline": wrong})).await.body;
    ana.post("/v1/deployments", right.clone()).await.ok();

    let unavailable = tidemill_store::Error::Unavailable("it is slow".into());
    let answers = [
        ("Invalid", invalid),
        ("Unauthenticated", world.anonymous().get("/v1/deployments").await.body),
        ("Forbidden", looker.post("/v1/deployments", right.clone()).await.body),
        ("NotFound", missing),
        ("Conflict", ana.post("/v1/deployments", right).await.body),
        ("TooLarge", ana.send(Method::POST, "/v1/deployments", &[], large).await.body),
        ("NotJson", ana.send(Method::POST, "/v1/deployments", &as_text, b"a,b".to_vec()).await.body),
        ("Failed", answered(&Error::internal("a cause"))),
        ("Unavailable", answered(&unavailable.into())),
    ];
    assert_eq!(differences(answers), "");
}

#[tokio::test]
async fn the_examples_of_checklys_errors_are_what_its_clients_get() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let looker = world.user_with("ana", &[Scope::Monitor]).await;
    let sent = envelope("team/etl", [("digest", echo("access-log-digest"))]);
    let mut invalid = sent.clone();
    invalid["resources"][0].as_object_mut().unwrap().remove("payload");
    let deploy = "/v1/projects/deploy?dryRun=false";
    let (as_json, as_text) = ([("content-type", "application/json")], [("content-type", "text/plain")]);

    let invalid = post(&ana, "dryRun=false", &invalid).await.body;
    let id = begin(&ana, &sent).await;
    let path = deployment("team/etl", &id);
    let held = post(&ana, "dryRun=false", &sent).await.body;
    let of_another = ana.get(&deployment("team/other", &id)).await.body;
    // Each test makes another id.
    let shown = |answer: Value| serde_json::from_str::<Value>(&answer.to_string().replace(&id, DEPLOYMENT)).unwrap();

    let answers = [
        ("ChecklyInvalid", invalid),
        ("ChecklyDenied", world.anonymous().get("/next/projects").await.body),
        ("ChecklyForbidden", looker.send(Method::POST, deploy, &as_json, sent.to_string().into_bytes()).await.body),
        ("ChecklyNotFound", shown(of_another)),
        ("ChecklyStillRunning", ana.get(&format!("{path}/completion?maxWaitSeconds=0")).await.body),
        ("ChecklyHeld", shown(held)),
        ("ChecklyExists", ana.post("/next/projects", json!({"logicalId": "team/etl", "name": "ETL"})).await.body),
        ("ChecklyNotJson", ana.send(Method::POST, deploy, &as_text, b"{}".to_vec()).await.body),
    ];
    assert_eq!(differences(answers), "");
}
