//! Environments for tests: over HTTP, and as RocketRide's newer clients ask for them.

use http::Method;
use serde_json::{Value, json};
use tidemill_model::deployment_id::{DeploymentId, EnvironmentSource};
use tidemill_model::ids::{EnvironmentName, KeyId, OwnerId, ProjectId};
use tidemill_operations::{Bell, Call, tick};
use tidemill_testing::{Answer, Dap, Reply, TestPlane, User, pipeline};

/// Where project `p` is found in an environment.
pub fn at(environment: &str) -> String {
    format!("/v1/environments/{environment}/projects/p")
}

/// Ana, with some versions of project `p`, none of them live.
pub async fn with_versions(world: &TestPlane, count: usize) -> User {
    let ana = world.user("ana").await;
    for number in 1..=count {
        let version = json!({"pipeline": named(&format!("v{number}"))});
        ana.post("/v1/deployments/p/versions", version).await.ok();
    }
    ana
}

/// Puts a version of project `p` live.
pub async fn deployed(user: &User, environment: &str, version: u32) -> Value {
    user.put(&at(environment), json!({"version": version})).await.ok()
}

/// Ana, with versions 1 and 2 of project `p`: the first is live in `staging`, and its timer runs there on a schedule.
pub async fn on_schedule(world: &TestPlane, schedule: &str) -> User {
    let ana = with_versions(world, 2).await;
    deployed(&ana, "staging", 1).await;
    let schedule = json!({"schedule": {"schedule": schedule}});
    ana.patch(&format!("{}/sources/timer_1", at("staging")), schedule).await.ok();
    ana
}

/// A request under an idempotency key.
pub async fn once(user: &User, method: Method, path: &str, body: Value) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", "once")];
    user.send(method, path, &headers, body.to_string().into_bytes()).await
}

/// A world, ana and her socket.
pub async fn ana() -> (TestPlane, User, Dap) {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let dap = world.socket(&ana).await;
    (world, ana, dap)
}

/// The small pipeline of project `p`, under a name for each version.
pub fn named(name: &str) -> Value {
    let mut named = pipeline("p");
    named["name"] = name.into();
    named
}

/// Project `p` with some versions, and none of them live.
pub async fn versions(dap: &mut Dap, count: usize) {
    for number in 1..=count {
        let add = json!({"subcommand": "add", "kind": "pipe", "pipeline": named(&format!("v{number}"))});
        dap.ask("rrext_deploy", add).await.ok();
    }
}

/// Asks for something of project `p` and team `staging`.
pub async fn of_staging(dap: &mut Dap, subcommand: &str, more: Value) -> Reply {
    dap.ask("rrext_deploy_pipe", staging(subcommand, more)).await
}

/// What [`of_staging`] asks.
pub fn staging(subcommand: &str, more: Value) -> Value {
    let mut asked = json!({"subcommand": subcommand, "projectId": "p", "teamId": "staging"});
    asked.as_object_mut().expect("it is an object").extend(more.as_object().expect("it is an object").clone());
    asked
}

/// Version 1 of project `p` is live in `staging`, and its timer runs there on a schedule. Version 2 is not.
pub async fn scheduled(dap: &mut Dap, schedule: &str) {
    versions(dap, 2).await;
    of_staging(dap, "deploy", json!({"version": 1})).await.ok();
    of_staging(dap, "schedule_set", json!({"sourceId": "timer_1", "schedule": schedule})).await.ok();
}

/// The deployment of that timer.
pub fn timer() -> DeploymentId {
    let project = ProjectId::parse("p").unwrap();
    let environment = EnvironmentName::parse("staging").unwrap();
    EnvironmentSource::new(project, environment, "timer_1").unwrap().into()
}

pub fn tick_bell() -> Bell {
    Bell::Tick { owner: OwnerId::parse("ana").unwrap(), deployment: timer() }
}

/// The ledger of the timer, oldest first: `ran`, `skipped(paused)`, …
pub async fn ticks(world: &TestPlane, user: &User) -> Vec<String> {
    let owner = call(world, user).owner;
    let Some(deployment) = world.plane.store.deployment(&owner, &timer()).await.unwrap() else { return Vec::new() };
    let ticks = tick::list::ticks(&world.plane, &deployment, None, None, 100).await.unwrap();
    let word = |value: Value| value.as_str().expect("it is a word").to_owned();
    let words = ticks.into_iter().map(tick::list::TickAnswer::from).map(|tick| match tick.reason {
        Some(reason) => format!("{}({})", word(json!(tick.outcome)), word(json!(reason))),
        None => word(json!(tick.outcome)),
    });
    let mut words: Vec<_> = words.collect();
    words.reverse();
    words
}

pub fn call(world: &TestPlane, user: &User) -> Call {
    Call {
        owner: OwnerId::parse("ana").unwrap(),
        key: KeyId::parse(&user.key_id).unwrap(),
        scopes: Vec::new(),
        now: world.now(),
        idempotency: None,
    }
}

/// All runs, oldest first: trigger, version, state, environment and source.
pub async fn runs(user: &User) -> Vec<Value> {
    let list = user.get("/v1/runs?limit=100").await.ok();
    let shown = list["items"].as_array().expect("a list has items").iter();
    let shown =
        shown.map(|run| json!([run["trigger"], run["version"], run["state"], run["environment"], run["source"]]));
    let mut shown: Vec<_> = shown.collect();
    shown.reverse();
    shown
}
