//! A function that streams, as a process of its own before what Lambda talks to functions by, on the table of a world.

#![expect(clippy::disallowed_methods, reason = "it measures real time")]

mod runtime_api;

use http::Method;
use runtime_api::{RuntimeApi, Streaming};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tidemill_testing::{TestPlane, User, pipeline};

/// Which function this very test is to be, in a process that the test has started.
const FUNCTION: &str = "TIDEMILL_TEST_FUNCTION";
const EVENTS: &str = "/v1/projects/{project}/deployments/{deployment}/events";

/// A process that answers the events of a function. It ends with the test.
struct Function(Child);

impl Function {
    /// Starts this test again, as the function: with the environment that Lambda gives, and no more.
    fn start(name: &str, api: SocketAddr, table: SocketAddr) -> Function {
        let environment = [
            (FUNCTION, name.to_owned()),
            ("AWS_LAMBDA_RUNTIME_API", api.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", name.to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{table}")),
            ("TIDEMILL_TABLE", tidemill_local::table::TABLE.to_owned()),
        ];
        let this = std::env::current_exe().expect("a process knows its binary");
        let child = Command::new(this)
            .args(["--exact", "a_function_in_a_process_of_its_own", "--nocapture"])
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Function(child.expect("the test can be started again"))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_function_in_a_process_of_its_own() {
    if let Ok(name) = std::env::var(FUNCTION) {
        tidemill_aws::serve(&name);
    }
}

struct Stage {
    world: TestPlane,
    user: User,
    api: RuntimeApi,
    _function: Function,
}

impl Stage {
    async fn new() -> Stage {
        let world = TestPlane::new().await;
        // The function has a clock of its own.
        world.clock.set(jiff::Timestamp::now());
        let user = world.user("ana").await;
        let api = RuntimeApi::start().await;
        let _function = Function::start("rollout_follow", api.address, world.serve_table().await);
        Stage { world, user, api, _function }
    }

    async fn deploy(&self) -> String {
        let sent = json!({
            "project": {"logicalId": "team/etl", "name": "ETL"},
            "resources": [{"logicalId": "one", "type": "pipeline", "payload": {"pipeline": pipeline("p-1")}}],
        });
        let headers = [("content-type", "application/json")];
        let body = sent.to_string().into_bytes();
        let begun = self.user.send(Method::POST, "/v1/projects/deploy?dryRun=false", &headers, body).await.ok();
        begun["id"].as_str().expect("a deployment has an id").to_owned()
    }

    /// Asks for the events of a deployment, as API Gateway does.
    async fn follow(&mut self, deployment: &str, time: Duration) -> Streaming {
        let event = json!({
            "resource": EVENTS,
            "path": format!("/v1/projects/team%2Fetl/deployments/{deployment}/events"),
            "httpMethod": "GET",
            "pathParameters": {"project": "team%2Fetl", "deployment": deployment},
            "multiValueHeaders": {"authorization": [format!("Bearer {}", self.user.key)]},
        });
        self.api.call(&event, time).await
    }
}

fn named(part: &str) -> &str {
    part.split("event: ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or("comment")
}

#[tokio::test]
async fn events_are_sent_while_a_deployment_goes_on_and_end_with_it() {
    let mut stage = Stage::new().await;
    let id = stage.deploy().await;

    let mut streaming = stage.follow(&id, Duration::from_secs(900)).await;
    let first = streaming.next().await.expect("the stream begins before the deployment ends");
    stage.world.settle().await;
    let mut last = first.clone();
    while let Some(part) = streaming.next().await {
        last = part;
    }

    assert_eq!(streaming.mode, "streaming");
    assert_eq!(streaming.prelude["statusCode"], 200);
    assert_eq!(streaming.prelude["headers"]["content-type"], "text/event-stream");
    assert_eq!(named(&first), "progress");
    assert_eq!(named(&last), "complete");
    assert!(last.ends_with("\n\n"), "{last}");
}

#[tokio::test]
async fn a_stream_ends_whole_before_lambda_ends_the_process() {
    let mut stage = Stage::new().await;
    let id = stage.deploy().await;
    let began = Instant::now();

    let mut streaming = stage.follow(&id, Duration::from_secs(6)).await;
    let mut parts = Vec::new();
    while let Some(part) = streaming.next().await {
        parts.push(part);
    }

    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(!parts.is_empty() && parts.iter().all(|part| named(part) != "complete"), "{parts:?}");
}

#[tokio::test]
async fn a_refusal_is_sent_in_the_form_of_a_stream() {
    let mut stage = Stage::new().await;

    let mut streaming = stage.follow("01KAFZ7Q3M8T5V2N9R4C6W1XDB", Duration::from_secs(900)).await;
    let body: Value = serde_json::from_str(&streaming.next().await.expect("it has a body")).expect("it is JSON");

    assert_eq!((streaming.mode.as_str(), &streaming.prelude["statusCode"]), ("streaming", &json!(404)));
    assert_eq!(body["statusCode"], 404);
    assert!(streaming.next().await.is_none());
}
