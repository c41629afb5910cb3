//! What each function asks of AWS: calls and units of the table, messages, timers; and what a million scheduled runs
//! cost by it. Prints figures and asserts none. The table is the embedded one, which counts units as DynamoDB does.
//!
//! `cargo bench -p tidemill-benches --bench cost`

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use http::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Display;
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_operations::Bell;
use tidemill_operations::bell::QueueKind;
use tidemill_protocols::functions::{self, On};
use tidemill_testing::{Answer, Metered, TestPlane, User, minutes, pipeline};

/// What is in the table when lists and sweeps read it.
const DEPLOYMENTS: usize = 20;

#[tokio::main]
async fn main() {
    let mut bench = Bench::new().await;
    bench.deployments().await;
    bench.runs().await;
    bench.scheduled_runs().await;
    bench.keys_and_secrets().await;
    bench.plane().await;
    bench.removal().await;
    bench.print();
    prices::print(&bench.scheduled.expect("a scheduled run was measured"));
}

/// What one call of a function took.
struct Row {
    function: &'static str,
    case: String,
    usage: Usage,
}

#[derive(Clone, Debug)]
struct Usage {
    table: Vec<Metered>,
    messages: usize,
    timers: usize,
}

impl Usage {
    fn writes(&self) -> f64 {
        self.table.iter().fold(0.0, |sum, call| sum + call.write_units)
    }

    fn reads(&self) -> f64 {
        self.table.iter().fold(0.0, |sum, call| sum + call.read_units)
    }

    /// The calls by name, in their order: `2 GetItem, TransactWriteItems`.
    fn names(&self) -> String {
        let groups = self.table.chunk_by(|a, b| a.operation == b.operation).map(|group| match group {
            [one] => one.operation.clone(),
            many => format!("{} {}", many.len(), many[0].operation),
        });
        groups.collect::<Vec<_>>().join(", ")
    }
}

struct Bench {
    world: TestPlane,
    user: User,
    rows: Vec<Row>,
    /// The tick of a schedule's minute, whose run is executed with it.
    scheduled: Option<Usage>,
}

impl Bench {
    async fn new() -> Bench {
        let world = TestPlane::new().await.behind_api_gateway();
        let user = world.user("ana").await;
        // When a key was last used is written once an hour, which is not to fall on the first function.
        user.get("/v1/deployments").await.ok();
        Bench { world, user, rows: Vec::new(), scheduled: None }
    }

    async fn deployments(&mut self) {
        let large = described("p", 10_000);
        let add = json!({"pipeline": large, "schedule": "* * * * *"});
        self.post("deployment_add", "a pipeline of 10 KB", "/v1/deployments", add.clone()).await;
        let small = json!({"pipeline": pipeline("small"), "schedule": "manual"});
        self.post("deployment_add", "a pipeline of 0.3 KB, no schedule", "/v1/deployments", small).await;
        self.get("deployment_get", "a pipeline of 10 KB", "/v1/deployments/p").await;
        let schedule = json!({"schedule": "0 7 * * *"});
        self.patch("deployment_update", "another schedule", schedule).await;
        let other = json!({"pipeline": described("p", 10_100)});
        self.patch("deployment_update", "another pipeline of 10 KB", other).await;
        self.patch("deployment_update", "nothing", json!({"schedule": "0 7 * * *"})).await;
        self.post("deployment_pause", "", "/v1/deployments/p/pause", Value::Null).await;
        self.post("deployment_resume", "", "/v1/deployments/p/resume", Value::Null).await;
        self.get("version_list", "2 versions", "/v1/deployments/p/versions").await;
        self.get("version_get", "a pipeline of 10 KB", "/v1/deployments/p/versions/1").await;
        for number in 2..DEPLOYMENTS {
            self.user.deploy(pipeline(&format!("p{number}")), "0 0 1 1 *").await.ok();
        }
        self.get("deployment_list", format!("{DEPLOYMENTS} deployments"), "/v1/deployments").await;
        self.post("pipeline_validate", "", "/v1/validate", json!({"pipeline": large})).await;
        self.get("provider_list", "", "/v1/providers").await;
    }

    async fn runs(&mut self) {
        let start = "/v1/deployments/small/runs";
        let started = self.post("run_start", "no input", start, json!({})).await;
        self.world.settle().await;
        let id = started["id"].as_str().expect("a run has an id").to_owned();
        self.get("run_get", "", &format!("/v1/runs/{id}")).await;
        self.get("run_get", "with its project", &format!("/v1/runs/{id}?project=small")).await;
        self.get("run_logs", "", &format!("/v1/runs/{id}/logs")).await;
        let queued = self.user.post(start, json!({})).await.ok();
        let cancel = format!("/v1/runs/{}/cancel", queued["id"].as_str().expect("a run has an id"));
        // The bell of the start before it is still in the queue.
        self.call_and_leave("run_cancel", "it waits", Method::POST, &cancel, Value::Null).await;
        self.world.settle().await;
        self.get("run_list", "2 runs of a project", "/v1/runs?project=small").await;
        self.get("run_list", "2 runs of all projects", "/v1/runs").await;

        let echo = json!({"pipeline": echo("hooked"), "schedule": "manual"});
        let hooked = self.user.post("/v1/deployments", echo).await.ok();
        let hook = hooked["hook"].as_str().expect("a deployment has a hook").to_owned();
        let text = [("content-type", "text/plain")];
        for case in ["the first body, of 1 KB", "a later one"] {
            self.world.faults.die(None);
            let timers = self.timers().await;
            self.world.anonymous().send(Method::POST, &hook, &text, vec![b'x'; 1_000]).await.ok();
            self.note("hook_receive", case, timers).await;
            self.answer_message().await;
        }
    }

    async fn scheduled_runs(&mut self) {
        self.user.patch("/v1/deployments/p", json!({"schedule": "* * * * *"})).await.ok();
        self.world.sleep(minutes(1));
        self.ring("deployment_tick", "the first of a version").await;
        self.answer_run("the first of a version").await;
        self.world.sleep(minutes(1));
        self.scheduled = Some(self.ring("deployment_tick", "a later one, with its short run").await);
        assert!(!self.world.answer(QueueKind::Runs).await, "the run needs no bell");
        self.world.sleep(minutes(10));
        self.ring("deployment_tick", "10 due minutes, 9 caught up").await;
        self.answer_message().await;
        self.world.settle().await;
        self.ring("deployment_tick", "doubled, nothing is due").await;
        self.get("tick_list", "12 ticks", "/v1/deployments/p/ticks").await;
        self.get("tick_why", "", "/v1/deployments/p/why?time=2026-03-02T10:02:00Z").await;
    }

    async fn keys_and_secrets(&mut self) {
        let made = self.post("key_create", "", "/v1/keys", json!({"name": "bench"})).await;
        self.get("key_list", "2 keys", "/v1/keys").await;
        let key = format!("/v1/keys/{}", made["id"].as_str().expect("a key has an id"));
        self.issue_key().await;
        self.call("key_revoke", "", Method::DELETE, &key, Value::Null).await;
        let value = json!({"value": "a secret value"});
        self.call("secret_set", "and a call of KMS", Method::PUT, "/v1/secrets/TOKEN", value).await;
        self.get("secret_list", "1 secret", "/v1/secrets").await;
        self.call("secret_remove", "", Method::DELETE, "/v1/secrets/TOKEN", Value::Null).await;
    }

    async fn issue_key(&mut self) {
        let On::Invoke(handle) = functions::named("key_issue").expect("it is in the table").on else {
            panic!("`key_issue` is called by its operator")
        };
        let timers = self.begin().await;
        handle(&self.world.plane, json!({"owner": "ben"})).await.expect("a key is issued");
        self.note("key_issue", "", timers).await;
    }

    async fn plane(&mut self) {
        self.get("plane_health", "", "/v1/health").await;
        let case = format!("{} deployments", DEPLOYMENTS + 1);
        self.post("plane_doctor", &case, "/v1/doctor", Value::Null).await;
        let timers = self.begin().await;
        self.world.sweep().await;
        self.note("plane_sweep", &case, timers).await;
        self.answer_message().await;
    }

    async fn removal(&mut self) {
        self.call("deployment_remove", "", Method::DELETE, "/v1/deployments/p", Value::Null).await;
    }

    async fn get(&mut self, function: &'static str, case: impl Display, path: &str) {
        self.call(function, case, Method::GET, path, Value::Null).await;
    }

    async fn post(&mut self, function: &'static str, case: impl Display, path: &str, body: Value) -> Value {
        self.call(function, case, Method::POST, path, body).await
    }

    async fn patch(&mut self, function: &'static str, case: impl Display, body: Value) {
        self.call(function, case, Method::PATCH, "/v1/deployments/p", body).await;
    }

    async fn call(
        &mut self,
        function: &'static str,
        case: impl Display,
        method: Method,
        path: &str,
        body: Value,
    ) -> Value {
        let answer = self.call_and_leave(function, case, method, path, body).await;
        self.answer_message().await;
        answer
    }

    /// Calls a function, and leaves the message that it sent in its queue.
    async fn call_and_leave(
        &mut self,
        function: &'static str,
        case: impl Display,
        method: Method,
        path: &str,
        body: Value,
    ) -> Value {
        let timers = self.begin().await;
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer: Answer = self.user.send(method, path, &[("content-type", "application/json")], body).await;
        self.note(function, case, timers).await;
        answer.ok()
    }

    /// Rings the bell of `p`'s tick.
    async fn ring(&mut self, function: &'static str, case: &str) -> Usage {
        let On::Bell(QueueKind::Ticks, handle) = functions::named(function).expect("it is in the table").on else {
            panic!("`{function}` answers ticks")
        };
        let owner = OwnerId::parse("ana").expect("the name is well formed");
        let deployment = ProjectId::parse("p").expect("the name is well formed").into();
        let timers = self.begin().await;
        handle(&self.world.plane, Bell::Tick { owner, deployment }, None).await.expect("the tick is taken");
        self.note(function, case, timers).await
    }

    /// Answers the bell that the tick rang.
    async fn answer_run(&mut self, case: &str) -> Usage {
        if let Some(tick) = self.rows.last_mut() {
            tick.usage.messages = 1;
        }
        let timers = self.begin().await;
        assert!(self.world.answer(QueueKind::Runs).await, "the tick rang for a run");
        self.note("run_execute", case, timers).await
    }

    async fn timers(&self) -> HashMap<String, bool> {
        self.world.plane.timers.all().await.expect("the local timers can be listed")
    }

    /// Counts from here on.
    async fn begin(&self) -> HashMap<String, bool> {
        let timers = self.timers().await;
        self.world.faults.die(None);
        timers
    }

    /// Answers the message that the last function sent, if it sent one, and notes that.
    async fn answer_message(&mut self) {
        let sent = self.world.answer(QueueKind::Runs).await || self.world.answer(QueueKind::Ticks).await;
        if let Some(row) = self.rows.last_mut() {
            row.usage.messages = usize::from(sent);
        }
    }

    /// Notes what was used since `begin`.
    async fn note(&mut self, function: &'static str, case: impl Display, before: HashMap<String, bool>) -> Usage {
        let table = self.world.faults.calls();
        let after = self.timers().await;
        let made = after.iter().filter(|(name, rings)| before.get(*name) != Some(rings)).count();
        let gone = before.keys().filter(|name| !after.contains_key(*name)).count();
        let usage = Usage { table, messages: 0, timers: made + gone };
        self.rows.push(Row { function, case: case.to_string(), usage: usage.clone() });
        usage
    }

    fn print(&self) {
        println!("| function | of | calls of the table | write units | read units | messages | timers changed |");
        println!("|---|---|---|---:|---:|---:|---:|");
        for Row { function, case, usage } in &self.rows {
            let (writes, reads) = (usage.writes(), usage.reads());
            let Usage { messages, timers, .. } = usage;
            println!("| `{function}` | {case} | {} | {writes} | {reads} | {messages} | {timers} |", usage.names());
        }
        let is_missing = |name: &&str| self.rows.iter().all(|row| row.function != *name);
        let missing: Vec<_> = functions::all().map(|function| function.name).filter(is_missing).collect();
        if !missing.is_empty() {
            println!("\nnot measured: {}", missing.join(", "));
        }
    }
}

/// A small pipeline with a long description, so that it has the size of a large one.
fn described(project: &str, bytes: usize) -> Value {
    let words = ["server", "error", "filter", "digest", "minute", "report", "the", "of", "every", "customer"];
    let mut seed = 7usize;
    let mut text = String::new();
    while text.len() < bytes {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.push_str(words[(seed >> 33) % words.len()]);
        text.push(' ');
    }
    let mut pipeline = pipeline(project);
    pipeline["description"] = text.into();
    pipeline
}

fn echo(project: &str) -> Value {
    json!({
        "project_id": project,
        "source": "in",
        "components": [
            {"id": "in", "provider": "webhook", "config": {"mode": "Source", "type": "webhook"}},
            {"id": "out", "provider": "response", "config": {"lanes": []}, "input": [{"lane": "text", "from": "in"}]},
        ],
    })
}

mod prices {
    //! Dollars for a million, as published for us-east-1 in November 2026, without free tiers.

    use super::Usage;

    /// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
    const WRITE_UNIT: f64 = 0.625;
    const READ_UNIT: f64 = 0.125;
    /// <https://aws.amazon.com/eventbridge/pricing/>
    const FIRING: f64 = 1.00;
    /// FIFO. <https://aws.amazon.com/sqs/pricing/>
    const REQUEST: f64 = 0.50;
    /// arm64. <https://aws.amazon.com/lambda/pricing/>
    const INVOCATION: f64 = 0.20;
    const GB_SECOND: f64 = 13.3334;

    /// GB, as template.yaml gives them.
    const MEMORY: f64 = 0.5;

    /// Assumed, in seconds: a read of one item; a transaction; a warm function's own work on a whole processor, of which
    /// Lambda gives one for 1,769 MB.
    const READ_TIME: f64 = 0.004;
    const WRITE_TIME: f64 = 0.008;
    const OWN_TIME: f64 = 0.001;
    const WHOLE_PROCESSOR: f64 = 1.769;

    /// Messages that Lambda takes at once. They are received and deleted together, and answered side by side.
    const BATCHES: [f64; 4] = [1.0, 2.0, 3.0, 10.0];

    pub fn print(tick: &Usage) {
        println!(
            "\n| a scheduled, short run takes, by messages in a batch | dollars for a million |{} |",
            BATCHES.map(|batch| format!(" {batch}")).join(" |")
        );
        println!("|---|---:|{}", "---:|".repeat(BATCHES.len()));
        let own = OWN_TIME * WHOLE_PROCESSOR / MEMORY;
        let took = |batch: f64| waited(tick) + own * batch;
        let parts = [
            ("firings of Scheduler", FIRING, BATCHES.map(|_| 1.0)),
            ("requests to SQS FIFO, with Scheduler's own", REQUEST, BATCHES.map(|batch| 1.0 + 2.0 / batch)),
            ("invocations of Lambda", INVOCATION, BATCHES.map(|batch| 1.0 / batch)),
            ("GB-seconds of Lambda, arm64", GB_SECOND, BATCHES.map(|batch| took(batch) * MEMORY / batch)),
            ("write units of DynamoDB", WRITE_UNIT, BATCHES.map(|_| tick.writes())),
            ("read units of DynamoDB", READ_UNIT, BATCHES.map(|_| tick.reads())),
        ];
        let mut all = [0.0; BATCHES.len()];
        for (what, price, counts) in parts {
            all.iter_mut().zip(counts).for_each(|(sum, count)| *sum += price * count);
            let counts = counts.map(|count| format!(" {}", (count * 1e4).round() / 1e4)).join(" |");
            println!("| {what} | {price} |{counts} |");
        }
        println!("| **dollars for a million runs** | |{} |", all.map(|sum| format!(" **{sum:.2}**")).join(" |"));
        println!(
            "\nassumed time of a batch of one: {:.0} ms; each further second of a run: {GB_SECOND:.2}",
            took(1.0) * 1e3
        );
    }

    /// Seconds that a function waits for the table.
    fn waited(usage: &Usage) -> f64 {
        usage.table.iter().map(|call| if call.write_units > 0.0 { WRITE_TIME } else { READ_TIME }).sum()
    }
}
