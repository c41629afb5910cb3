//! What a rollout of many pipelines takes, and what following one costs. Prints figures and asserts none: machines
//! differ. The plane and its clients share this process, so each figure holds both.
//!
//! `cargo bench -p tidemill-benches --bench rollouts -- [PIPELINES]`

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use futures::StreamExt;
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tidemill_local::engine::Program;
use tidemill_local::{Local, Options};
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{Metered, TestPlane, pipeline};

const PIPELINES: usize = 1_000;
const WATCHERS: usize = 1_000;

fn main() {
    // Engine processes are this binary.
    Program::this();
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(bench());
}

async fn bench() {
    let pipelines = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(PIPELINES);
    println!("| {pipelines} pipelines | table calls each | write units each | read units each | most called |");
    println!("|---|---|---|---|---|");
    let world = TestPlane::new().await;
    let user = world.user("ana").await;
    for (case, name, schedule) in [
        ("new", "v1", "manual"),
        ("unchanged", "v1", "manual"),
        ("changed", "v2", "manual"),
        ("on a schedule", "v3", "@hourly"),
    ] {
        let id = user.post("/v1/rollouts", rollout(pipelines, name, schedule)).await.ok()["id"].clone();
        world.faults.die(None);
        world.answer(QueueKind::Rollouts).await;
        let calls = world.faults.calls();
        let shown = user.get(&format!("/v1/rollouts/{}", id.as_str().expect("it has an id"))).await.ok();
        println!("| {case} ({}) | {} |", shown["state"].as_str().unwrap_or("?"), cost(&calls, pipelines));
    }
    on_a_plane(pipelines).await;
}

fn rollout(count: usize, name: &str, schedule: &str) -> Value {
    let pipelines = (0..count).map(|number| {
        let mut pipeline = pipeline(&format!("p{number:05}"));
        pipeline["name"] = name.into();
        json!({"pipeline": pipeline, "schedule": schedule})
    });
    json!({"group": "all", "gone": "prune", "pipelines": pipelines.collect::<Vec<_>>()})
}

fn cost(calls: &[Metered], pipelines: usize) -> String {
    let each = |sum: f64| format!("{:.2}", sum / pipelines as f64);
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls {
        *names.entry(&call.operation).or_default() += 1;
    }
    let names: Vec<String> = names.iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!(
        "{} | {} | {} | {}",
        each(calls.len() as f64),
        each(calls.iter().map(|call| call.write_units).sum()),
        each(calls.iter().map(|call| call.read_units).sum()),
        names.join(", ")
    )
}

/// A whole plane over HTTP: how long a rollout takes, and how soon a thousand followers see its events.
async fn on_a_plane(pipelines: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let options = Options {
        program: Program::this(),
        listen: ([127, 0, 0, 1], 0).into(),
        host: None,
        data: folder.path().to_owned(),
        minute: None,
        allow_private_network: false,
        readable: Vec::new(),
        readable_from_now: Vec::new(),
    };
    let plane = Local::start(options).await.expect("the plane starts");
    let client = Client {
        http: tidemill_engine::outbound::client().build().expect("a client can be made"),
        url: plane.url(),
        key: plane.key().to_owned(),
    };
    println!("\n| on a local plane | |\n|---|---|");
    for (case, name) in [("new", "v1"), ("unchanged", "v1"), ("changed", "v2")] {
        let took = client.roll_out(rollout(pipelines, name, "manual")).await;
        let rate = pipelines as f64 / took.as_secs_f64();
        println!("| {pipelines} {case} pipelines | {:.2} s, {rate:.0} a second |", took.as_secs_f64());
    }
    client.watched(pipelines).await;
    plane.stop().await;
}

struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Client {
    async fn begin(&self, request: Value) -> String {
        let sent = self.http.post(format!("{}/v1/rollouts", self.url)).bearer_auth(&self.key).json(&request).send();
        let begun: Value = sent.await.expect("the plane answers").json().await.expect("the answer is JSON");
        begun["id"].as_str().unwrap_or_else(|| panic!("it did not begin: {begun}")).to_owned()
    }

    async fn roll_out(&self, request: Value) -> Duration {
        let began = Instant::now();
        let id = self.begin(request).await;
        loop {
            let path = format!("{}/v1/rollouts/{id}/completion", self.url);
            let waited = self.http.get(path).bearer_auth(&self.key).send().await.expect("the plane answers");
            let waited: Value = waited.json().await.expect("the answer is JSON");
            if waited["endedAt"].is_string() {
                assert_eq!(waited["state"], "succeeded", "{}", waited["error"]);
                return began.elapsed();
            }
        }
    }

    /// Follows one rollout a thousand times over. A frame's delay is the time from when its first watcher has it to
    /// when its last one has.
    async fn watched(&self, pipelines: usize) {
        let before = resident();
        let id = self.begin(rollout(pipelines, "v3", "manual")).await;
        let watchers = join_all((0..WATCHERS).map(|_| self.watch(&id))).await;
        let mut frames: BTreeMap<String, (Instant, Instant, usize)> = BTreeMap::new();
        for (name, at) in watchers.iter().flat_map(|watched| &watched.frames) {
            let (first, last, count) = frames.entry(name.clone()).or_insert((*at, *at, 0));
            (*first, *last, *count) = ((*first).min(*at), (*last).max(*at), *count + 1);
        }
        let mut spreads: Vec<Duration> =
            frames.values().filter(|(_, _, count)| *count == WATCHERS).map(|(first, last, _)| *last - *first).collect();
        spreads.sort();
        let ended = watchers.iter().filter(|watched| watched.ended).count();
        let median = spreads.get(spreads.len() / 2).copied().unwrap_or_default();
        let most = spreads.last().copied().unwrap_or_default();
        println!("| watchers that saw the end | {ended} of {WATCHERS} |");
        println!("| frames that all of them saw | {} |", spreads.len());
        println!("| from a frame's first watcher to its last | {median:.0?} median, {most:.0?} most |");
        println!("| memory of {WATCHERS} watchers, both ends | {:.1} MB more than before |", peak() - before);
    }

    async fn watch(&self, id: &str) -> Watched {
        let path = format!("{}/v1/rollouts/{id}/events", self.url);
        let answer = self.http.get(path).bearer_auth(&self.key).send().await.expect("the plane answers");
        let mut body = answer.bytes_stream();
        let mut watched = Watched { frames: Vec::new(), ended: false };
        let mut text = String::new();
        while let Some(Ok(part)) = body.next().await {
            text.push_str(&String::from_utf8_lossy(&part));
            while let Some(end) = text.find("\n\n") {
                let frame: String = text.drain(..end + 2).collect();
                if frame.starts_with("event: progress") || frame.starts_with("event: complete") {
                    watched.ended |= frame.starts_with("event: complete");
                    watched.frames.push((frame, Instant::now()));
                }
            }
        }
        watched
    }
}

struct Watched {
    frames: Vec<(String, Instant)>,
    ended: bool,
}

/// Memory of this process, in MB.
fn resident() -> f64 {
    of_status("VmRSS:")
}

fn peak() -> f64 {
    of_status("VmHWM:")
}

fn of_status(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}
