//! What several files start from: pipelines, files with lines, runs.

pub mod checkly;
pub mod environments;
pub mod objects;
pub mod redacted;
pub mod rollouts;
pub mod tasks;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::ids::{OwnerId, ProjectId, RunId};
use tidemill_operations::bell::QueueKind;
use tidemill_operations::plane::Memory;
use tidemill_operations::{Bell, Error, Plane, Queue};
use tidemill_testing::{TestPlane, User};

/// A pipeline in a line: each link is a provider, its config, and the lane on which it gives to the next.
pub fn chain(project: &str, links: &[(&str, Value, &str)]) -> Value {
    let mut components = Vec::new();
    let mut before: Option<(String, &str)> = None;
    for (provider, config, lane) in links {
        let id = format!("{provider}_1");
        let mut component = json!({"id": id, "provider": provider, "config": config});
        match &before {
            None => component["config"]["mode"] = "Source".into(),
            Some((from, lane)) => component["input"] = json!([{"lane": lane, "from": from}]),
        }
        components.push(component);
        before = Some((id, *lane));
    }
    json!({"project_id": project, "source": components[0]["id"], "components": components})
}

/// Answers with what it is handed, text as text and JSON as documents.
pub fn echo(project: &str) -> Value {
    let mut echo = chain(project, &[("webhook", json!({}), "text"), ("response", json!({"lanes": []}), "")]);
    let both = json!([{"lane": "text", "from": "webhook_1"}, {"lane": "documents", "from": "webhook_1"}]);
    echo["components"][1]["input"] = both;
    echo
}

/// Fails in a way that no retry mends.
pub fn broken(project: &str) -> Value {
    let template = json!({"template": "{{ value.nothing.at.all }}"});
    let response = ("response", json!({"lanes": []}), "");
    chain(project, &[("timer", json!({}), "documents"), ("template", template, "text"), response])
}

/// Fails in a way that may pass: no server listens at the address.
pub fn unreachable(project: &str) -> Value {
    let request = json!({"url": "http://127.0.0.1:1/", "method": "GET", "retries": 0});
    let response = ("response", json!({"lanes": []}), "");
    chain(project, &[("timer", json!({}), "documents"), ("http_request", request, "text"), response])
}

/// Copies the lines of `in.txt` to `out.txt`, each once. It saves its progress every 50 lines.
pub fn copy(project: &str) -> Value {
    let source = ("file_source", json!({"path": "in.txt"}), "text");
    let sink = ("file_sink", json!({"path": "out.txt"}), "");
    chain(project, &[source, ("dedupe", json!({}), "text"), sink])
}

/// Logs each line of `in.txt`; saves its progress, and so a piece of the log, every 50 lines.
pub fn logging(project: &str) -> Value {
    let source = ("file_source", json!({"path": "in.txt"}), "text");
    chain(project, &[source, ("dedupe", json!({}), "text"), ("log", json!({"level": "warn"}), "")])
}

/// What the lines of a log say.
pub fn messages(logs: &Value) -> Vec<String> {
    logs["items"].as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

/// The log of a run from a position on.
pub async fn logs(user: &User, id: &str, from: u64) -> Value {
    user.get(&format!("/v1/runs/{id}/logs?from={from}")).await.ok()
}

/// Writes `in.txt`, and gives its lines.
pub fn lines(world: &TestPlane, count: usize) -> Vec<String> {
    let lines: Vec<String> = (1..=count).map(|number| format!("line {number}")).collect();
    std::fs::write(world.folder().join("in.txt"), lines.join("\n") + "\n").expect("the folder can be written");
    lines
}

/// The lines of `out.txt` so far.
pub fn copied(world: &TestPlane) -> Vec<String> {
    let text = std::fs::read_to_string(world.folder().join("ana/out.txt")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Starts a run that its worker has not seen yet.
pub async fn queued(user: &User, project: &str) -> String {
    let started = user.post(&format!("/v1/deployments/{project}/runs"), json!({})).await.ok();
    started["id"].as_str().expect("a run has an id").to_owned()
}

/// Starts a run and answers every bell that rings now.
pub async fn ran(world: &TestPlane, user: &User, project: &str) -> Value {
    let id = queued(user, project).await;
    world.settle().await;
    run(user, &id).await
}

pub async fn run(user: &User, id: &str) -> Value {
    user.get(&format!("/v1/runs/{id}")).await.ok()
}

/// A run of ana's project `p` as the table has it.
pub async fn stored(world: &TestPlane, id: &str) -> tidemill_model::run::Run {
    let tidemill_operations::Bell::Run { owner, deployment, run } = run_bell(id) else { unreachable!() };
    world.plane.store.run(&owner, &deployment, &run).await.unwrap().expect("the run is there")
}

/// Lets a worker work, and meanwhile, once it has saved some objects, does something else.
pub async fn while_it_runs<T>(world: &TestPlane, user: &User, id: &str, then: impl Future<Output = T>) -> T {
    let meanwhile = async {
        while run(user, id).await["objects"] == 0 {
            tokio::task::yield_now().await;
        }
        then.await
    };
    futures::join!(world.answer(QueueKind::Runs), meanwhile).1
}

/// The bell of a run of ana's project `p`.
pub fn run_bell(id: &str) -> Bell {
    let (owner, project) = (OwnerId::parse("ana").unwrap(), ProjectId::parse("p").unwrap());
    Bell::Run { owner, deployment: project.into(), run: RunId::parse(id).unwrap() }
}

/// The same plane, but every bell that it rings is lost.
pub fn deaf(world: &TestPlane) -> Arc<Plane> {
    let plane = &world.plane;
    Arc::new(Plane {
        store: plane.store.clone(),
        timers: plane.timers.clone(),
        queue: Arc::new(Deaf),
        cipher: plane.cipher.clone(),
        sockets: plane.sockets.clone(),
        ambient: plane.ambient.clone(),
        calendar: plane.calendar,
        engine: plane.engine.clone(),
        host: plane.host.clone(),
        kind: plane.kind,
        workers: plane.workers.clone(),
        memory: Memory::default(),
    })
}

struct Deaf;

impl Queue for Deaf {
    fn ring<'a>(&'a self, _: Bell, _: Duration) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn ring_again<'a>(&'a self, _: Bell) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Takes every timer away, as a restart of the local plane and a hand in the console of AWS do.
pub async fn lose_timers(world: &TestPlane) {
    for name in world.plane.timers.all().await.unwrap().keys() {
        world.plane.timers.delete(name).await.unwrap();
    }
}
