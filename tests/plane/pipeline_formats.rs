//! Pipelines written in YAML or in JSON with comments, over HTTP.

use http::Method;
use serde_json::{Value, json};
use tidemill_testing::{Answer, TestPlane, User, pipeline};

const YAML: &str = "\
# Says hello.
schedule: '@daily'
pipeline:
  project_id: hello
  components:
    - {id: on, provider: timer, config: {}}   # `on` is a text
    - id: out
      provider: template
      config:
        template: |
          no
          yes
      input: [{lane: documents, from: on}]
    - {id: result, provider: response, config: {size: 123456789012345678901234567890}, input: [{lane: text, from: out}]}
";

async fn send(user: &User, method: Method, path: &str, media_type: &str, body: &str) -> Answer {
    user.send(method, path, &[("content-type", media_type)], body.as_bytes().to_vec()).await
}

async fn deployed(user: &User, body: &str) -> Answer {
    send(user, Method::POST, "/v1/deployments", "application/yaml; charset=utf-8", body).await
}

#[tokio::test]
async fn a_deploy_file_in_yaml_is_stored_as_it_was_written_and_runs() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let text = format!("$schema: https://example.com/schema\n{YAML}");
    let added = deployed(&ana, &text).await.ok();
    let shown = ana.get("/v1/deployments/hello").await.ok();
    let version = ana.get("/v1/deployments/hello/versions/1").await.ok();
    ana.post("/v1/deployments/hello/runs", Value::Null).await.ok();
    world.settle().await;
    let runs = ana.get("/v1/runs?project=hello").await.ok();

    assert_eq!(added["schedule"], "@daily");
    for answer in [&shown, &version] {
        assert_eq!(answer["pipelineText"], json!({"format": "yaml", "text": text, "at": "/pipeline"}));
        assert_eq!(answer["pipeline"]["components"][0]["id"], "on");
        assert_eq!(answer["pipeline"]["components"][1]["config"]["template"], "no\nyes\n");
        // The digits of a long number are those that were written.
        assert!(!answer["pipeline"]["components"][2]["config"]["size"].is_string());
    }
    assert_eq!((&version["components"], &runs["items"][0]["state"]), (&json!(3), &json!("succeeded")), "{runs}");
}

#[tokio::test]
async fn another_comment_makes_another_version_and_the_same_text_none() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    deployed(&ana, YAML).await.ok();

    let same = send(&ana, Method::PATCH, "/v1/deployments/hello", "text/yaml", YAML).await.ok();
    let commented = YAML.replace("# Says hello.", "# Greets.");
    let other = send(&ana, Method::PATCH, "/v1/deployments/hello", "text/yaml", &commented).await.ok();

    assert_eq!((&same["version"], &other["version"]), (&json!(1), &json!(2)));
    let shown = ana.get("/v1/deployments/hello/versions/2").await.ok();
    assert_eq!(shown["pipelineText"]["text"], commented);
}

#[tokio::test]
async fn a_pipelines_text_may_stand_in_the_pipelines_place() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let text = "// Mine.\n{\"project_id\": \"p\", \"components\": [\n  {\"id\": \"in\", \"provider\": \"webhook\", \"config\": {}},\n  \
        {\"id\": \"out\", \"provider\": \"response\", \"config\": {}, \"input\": [{\"lane\": \"text\", \"from\": \"in\"}],},\n]}";
    let written = json!({"format": "jsonc", "text": text});

    ana.post("/v1/deployments", json!({"pipeline": written})).await.ok();
    let rollout = json!({"group": "p", "pipelines": [{"pipeline": {"format": "yaml", "text": "components:\n- {id: a, provider: timer, config: {}}\n- {id: b, provider: log, config: {}, input: [{lane: text, from: a}]}", "project_id": "q"}}]});
    ana.post("/v1/rollouts", rollout).await.ok();
    world.settle().await;

    let shown = ana.get("/v1/deployments/p").await.ok();
    assert_eq!((&shown["pipelineText"], &shown["pipeline"]["project_id"]), (&written, &json!("p")));
    let rolled_out = ana.get("/v1/deployments/q").await.ok();
    assert_eq!(
        (&rolled_out["pipelineText"]["format"], &rolled_out["pipeline"]["project_id"]),
        (&json!("yaml"), &json!("q"))
    );
}

#[tokio::test]
async fn a_pipeline_in_json_has_no_other_text() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();

    assert_eq!(ana.get("/v1/deployments/p/versions/1").await.ok().get("pipelineText"), None);
}

/// An alias of aliases, each ten times: 10^9 values.
fn laughs() -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = level - 1;
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
    }
    text
}

#[tokio::test]
async fn what_is_no_honest_yaml_is_refused_with_its_place_before_anything_changes() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let deep = format!("pipeline: {}", "[".repeat(150));
    let cases = [
        ("schedule: '@daily'\nschedule: '@hourly'\n", "has the key `schedule` twice at line 2 column 1"),
        ("a: &a [*a]\n", "an alias stands inside its own anchor at line 1 column 8"),
        ("a: 1\n---\nb: 2\n", "a second document begins at line 2 column 1"),
        ("a: {<<: {b: 1}}\n", "YAML 1.2 has no merge key"),
        ("a: !!python/object x\n", "the tag"),
        ("a: .inf\n", "`.inf` is no number"),
        ("{[a]: b}\n", "a key is no text"),
        ("a: [1,\n", "is not YAML that can be read"),
        ("- a\n", "the body is not an object"),
        (deep.as_str(), "nested deeper than"),
        (&laughs(), "of JSON"),
    ];
    for (body, expected) in cases {
        let answer = deployed(&ana, body).await;
        let message = answer.body["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(expected), "{expected}: {}", answer.body);
        assert_eq!(answer.refused(400), "invalid_argument");
    }
    assert_eq!(ana.get("/v1/deployments").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_text_in_no_known_format_is_refused() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let toml = ana.post("/v1/deployments", json!({"pipeline": {"format": "toml", "text": ""}})).await;
    let elsewhere = json!({"pipeline": {"format": "yaml", "text": "a: 1", "at": "/other"}});
    let elsewhere = ana.post("/v1/deployments", elsewhere).await;
    let media_type = send(&ana, Method::POST, "/v1/deployments", "application/toml", "a = 1").await;

    assert!(toml.body.to_string().contains("`jsonc`"), "{}", toml.body);
    assert_eq!(toml.refused(400), "invalid_argument");
    assert_eq!(elsewhere.refused(400), "invalid_argument");
    assert_eq!(media_type.refused(415), "unsupported_media_type");
}

#[tokio::test]
async fn problems_of_a_written_pipeline_name_its_fields() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let report =
        send(&ana, Method::POST, "/v1/validate", "application/yaml", &YAML.replace("timer", "timmer")).await.ok();

    assert_eq!((&report["valid"], &report["errors"][0]["field"]), (&json!(false), &json!("/components/0/provider")));
}
