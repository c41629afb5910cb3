//! What a run costs on a laptop, from a webhook's request to the answer with its end. Prints figures and asserts none:
//! machines differ. The plane is a process of its own, so its processor time is not the clients'.
//!
//! `cargo bench -p tidemill-benches --bench runs -- [SECONDS]`

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use futures::future::join_all;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tidemill_local::engine::Program;
use tidemill_local::{Local, Options};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// How long each row is measured, in seconds.
const SECONDS: u64 = 5;
/// Connections of the rows.
const CONNECTIONS: [usize; 3] = [1, 16, 50];
/// Runs that a plane has made before it counts as worn.
const WORN: usize = 10_000;
/// As many owners and projects that no limit of a webhook's rate is met.
const OWNERS: usize = 20;
const PROJECTS_OF_AN_OWNER: usize = 5;
/// Names the data folder to the process that is the plane.
const PLANE: &str = "TIDEMILL_BENCH_PLANE";

fn main() {
    // Engine processes are this binary.
    Program::this();
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    match std::env::var_os(PLANE) {
        Some(folder) => runtime.block_on(plane(Path::new(&folder))),
        None => runtime.block_on(bench()),
    }
}

/// Is the plane until its input ends.
async fn plane(folder: &Path) {
    let options = Options {
        program: Program::this(),
        listen: ([127, 0, 0, 1], 0).into(),
        host: None,
        data: folder.to_owned(),
        minute: None,
        allow_private_network: false,
        readable: Vec::new(),
        readable_from_now: Vec::new(),
    };
    let plane = Local::start(options).await.expect("the plane starts");
    println!("{}", plane.url());
    let _ = BufReader::new(tokio::io::stdin()).lines().next_line().await;
    plane.stop().await;
}

async fn bench() {
    let seconds = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(SECONDS);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut plane = Command::new(std::env::current_exe().expect("the bench has a file"))
        .env(PLANE, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the plane's process can be started");
    let mut lines = BufReader::new(plane.stdout.take().expect("it is piped")).lines();
    let url = lines.next_line().await.expect("the plane prints its address").expect("the plane starts");
    let client = Client { http: tidemill_engine::outbound::client().build().expect("a client can be made") };
    let hooks = client.hooks(folder.path(), &url).await;
    println!("plane {}", plane.id().unwrap_or_default());
    println!(
        "| plane | connections | runs a second | p50 | p99 | processor time a run |\n|---|---:|---:|---:|---:|---:|"
    );
    for connections in CONNECTIONS {
        client.measure("fresh", &hooks, connections, Until::Elapsed(Duration::from_secs(seconds)), &plane).await;
    }
    client.measure("until worn", &hooks, 50, Until::Runs(WORN), &plane).await;
    for connections in CONNECTIONS {
        client.measure("worn", &hooks, connections, Until::Elapsed(Duration::from_secs(seconds)), &plane).await;
    }
    let mut input = plane.stdin.take().expect("it is piped");
    let _ = input.write_all(b"\n").await;
    let _ = plane.wait().await;
}

#[derive(Clone, Copy)]
enum Until {
    Elapsed(Duration),
    Runs(usize),
}

struct Client {
    http: reqwest::Client,
}

impl Client {
    /// Deploys projects of several owners and gives their webhooks.
    async fn hooks(&self, folder: &Path, url: &str) -> Vec<String> {
        let store = tidemill_local::open_store(folder).await.expect("the table can be opened beside the plane");
        let mut hooks = Vec::new();
        for owner in 0..OWNERS {
            let key = key_of(&store, &format!("owner-{owner}")).await;
            for project in 0..PROJECTS_OF_AN_OWNER {
                let body = json!({"pipeline": echo(&format!("project-{project}"))});
                let add = self.http.post(format!("{url}/v1/deployments")).bearer_auth(&key).json(&body);
                let added: Value = add.send().await.expect("the plane answers").json().await.expect("JSON");
                let hook = added["hook"].as_str().unwrap_or_else(|| panic!("{added}"));
                hooks.push(format!("{url}{hook}"));
            }
        }
        hooks
    }

    async fn measure(&self, state: &str, hooks: &[String], connections: usize, until: Until, plane: &Child) {
        let (before, began) = (processor(plane), Instant::now());
        let each = (0..connections).map(|connection| async move {
            let mut taken = Vec::new();
            let mine = hooks.iter().skip(connection).step_by(connections).cycle();
            for hook in mine {
                match until {
                    Until::Elapsed(time) if began.elapsed() >= time => break,
                    Until::Runs(runs) if taken.len() >= runs / connections => break,
                    _ => {}
                }
                let start = Instant::now();
                let sent = self.http.post(format!("{hook}?wait=20")).body("nothing").send().await;
                let answer = sent.expect("the plane answers");
                assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
                let run: Value = answer.json().await.expect("an answer is JSON");
                assert_eq!(run["state"], "succeeded", "{run}");
                taken.push(start.elapsed());
            }
            taken
        });
        let mut taken: Vec<Duration> = join_all(each).await.into_iter().flatten().collect();
        let (elapsed, used) = (began.elapsed(), processor(plane) - before);
        taken.sort();
        let (p50, p99) = (taken[taken.len() / 2], taken[taken.len() * 99 / 100]);
        let rate = taken.len() as f64 / elapsed.as_secs_f64();
        let each = used.as_secs_f64() * 1e3 / taken.len() as f64;
        println!("| {state} | {connections} | {rate:.0} | {p50:.1?} | {p99:.1?} | {each:.2} ms |");
    }
}

async fn key_of(store: &tidemill_store::Store, owner: &str) -> String {
    use tidemill_operations::key;
    let owner = owner.to_owned().try_into().expect("it is a name");
    let input =
        key::create::Input { scopes: Some(tidemill_model::key::Scope::ALL.to_vec()), name: None, expires_at: None };
    let kind = tidemill_model::key::KeyKind::Local;
    let made = key::create::make(store, &tidemill_operations::SystemAmbient, kind, owner, input).await;
    made.expect("a key can be made").1.expose().to_owned()
}

fn echo(project: &str) -> Value {
    json!({"project_id": project, "source": "webhook_1", "components": [
        {"id": "webhook_1", "provider": "webhook", "config": {"mode": "Source"}},
        {"id": "response_1", "provider": "response", "config": {}, "input": [{"lane": "text", "from": "webhook_1"}]},
    ]})
}

/// Processor time of the plane and of the processes that it started, by the kernel's own account.
fn processor(plane: &Child) -> Duration {
    let plane = plane.id().expect("the plane is running").to_string();
    let stats = std::fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| {
        let stat = std::fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        // The name, in brackets, may hold spaces.
        let (head, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        (head.split(' ').next() == Some(plane.as_str()) || fields[1] == plane).then(|| {
            // User and system time, and those of children that have ended, in hundredths of a second.
            fields[11..15].iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>()
        })
    });
    Duration::from_millis(stats.sum::<u64>() * 10)
}
