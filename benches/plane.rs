//! What a plane bears: ten thousand deployments on one machine. Prints figures and asserts none: machines differ.
//!
//! `cargo bench -p tidemill-benches --bench plane -- [DEPLOYMENTS]`

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use futures::StreamExt;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tidemill_local::engine::Program;
use tidemill_local::{Local, Options};
use tidemill_testing::pipeline;

/// How long the schedule's minute lasts in which all deployments are due.
const MINUTE: Duration = Duration::from_secs(60);
const AT_ONCE: usize = 16;

fn main() {
    // Engine processes are this binary.
    Program::this();
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(bench());
}

async fn bench() {
    let deployments = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(10_000);
    many(deployments).await;
}

async fn many(count: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let start = || async {
        let options = Options {
            program: Program::this(),
            listen: ([127, 0, 0, 1], 0).into(),
            host: None,
            data: folder.path().to_owned(),
            minute: Some(MINUTE),
            allow_private_network: false,
            readable: Vec::new(),
            readable_from_now: Vec::new(),
        };
        Local::start(options).await.expect("the plane starts")
    };
    let plane = start().await;
    let client = Client::of(&plane);
    let began = Instant::now();
    let adds = (0..count).map(|number| client.add(number));
    futures::stream::iter(adds).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    println!("{count} adds over HTTP, {AT_ONCE} at once: {:.1?}", began.elapsed());
    plane.stop().await;

    let began = Instant::now();
    let plane = start().await;
    println!("start with {count} deployments, until it answers: {:.1?}", began.elapsed());
    let client = Client::of(&plane);
    let (mut slowest, mut seen, mut cursor) = (Duration::ZERO, 0, None::<String>);
    loop {
        let began = Instant::now();
        let page = client.get(&path("/v1/deployments", cursor.as_deref())).await;
        slowest = slowest.max(began.elapsed());
        seen += page["items"].as_array().map_or(0, Vec::len);
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    println!("list of {seen}, pages of 100: slowest page {slowest:.1?}");
    all_due(&client, count).await;
    println!("memory: {}", memory());
    plane.stop().await;
}

/// Waits for a whole minute in which everything is due, and counts what became of it.
async fn all_due(client: &Client, count: usize) {
    let until_next = 60_000 - jiff::Timestamp::now().as_millisecond() % 60_000;
    tokio::time::sleep(Duration::from_millis(until_next as u64)).await;
    let minute = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() / 60 * 60).expect("it is a time");
    tokio::time::sleep(Duration::from_secs(57)).await;
    let (mut ended, mut last, mut cursor) = (0, 0, None::<String>);
    loop {
        let page = client.get(&path(&format!("/v1/runs?since={minute}"), cursor.as_deref())).await;
        for run in page["items"].as_array().into_iter().flatten().filter(|run| run["state"] == "succeeded") {
            ended += usize::from(run["tick"] == minute.to_string());
            let at: Option<jiff::Timestamp> = run["endedAt"].as_str().and_then(|text| text.parse().ok());
            last = last.max(at.map_or(0, |at| at.as_millisecond() - minute.as_millisecond()));
        }
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    println!(
        "all due at {minute}: {ended} of {count} ran and ended, the last one {:.1} s after the minute",
        last as f64 / 1e3
    );
}

fn path(base: &str, cursor: Option<&str>) -> String {
    let join = if base.contains('?') { '&' } else { '?' };
    let page = format!("{base}{join}limit=100");
    cursor.map_or(page.clone(), |cursor| format!("{page}&cursor={cursor}"))
}

struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Client {
    fn of(plane: &Local) -> Client {
        Client {
            http: tidemill_engine::outbound::client().build().expect("a client can be made"),
            url: plane.url(),
            key: plane.key().to_owned(),
        }
    }

    async fn add(&self, number: usize) {
        let body = json!({"pipeline": pipeline(&format!("p{number:06}")), "schedule": "* * * * *"});
        let sent = self.http.post(format!("{}/v1/deployments", self.url)).bearer_auth(&self.key).json(&body).send();
        let answer = sent.await.expect("the plane answers");
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
    }

    async fn get(&self, path: &str) -> Value {
        let sent = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.key).send();
        sent.await.expect("the plane answers").json().await.expect("the answer is JSON")
    }
}

/// Of this process, from the kernel's own account.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}
