//! How long the functions' processes take until they ask for work, how much memory they have then, and how long their
//! answers take; beside a function that does nothing. Prints figures and asserts none: machines differ.
//!
//! `cargo bench -p tidemill-benches --bench cold_start -- [STARTS]`

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

mod runtime_api;

use dynoxide::Database;
use runtime_api::RuntimeApi;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tidemill_local::table;
use tidemill_model::ids::OwnerId;
use tidemill_model::key::{KeyKind, Scope};
use tidemill_operations::key;
use tidemill_protocols::functions;
use tidemill_store::Store;
use tidemill_testing::TestAmbient;

const STARTS: usize = 30;
const WARM_CALLS: usize = 100;

/// The sample that people invoke functions with.
const EVENT: &str = include_str!("../../infra/events/http.json");

#[tokio::main]
async fn main() {
    let starts = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(STARTS);
    let folder = build();
    let table = Table::start().await;
    let no_messages = || json!({"Records": []});
    let function = |name, of, event| Program::of(folder.join("tidemill-functions"), name, of, event);
    let mut programs = [
        Program::of(folder.join("examples/hello"), "hello", "nothing", json!({})),
        function("plane_health", "a request", get("/v1/health", "")),
        function("deployment_list", "a request, 2 reads of the table", get("/v1/deployments", &table.key)),
        function("deployment_tick", "no message", no_messages()),
        function("run_execute", "no message", no_messages()),
    ];
    for _ in 0..starts {
        for program in &mut programs {
            program.start(&table).await;
        }
    }
    println!("\n{} functions, one binary", functions::all().count());
    print_starts(&programs, starts);
    print_answers(&programs);
}

/// Builds what is measured, and gives the folder that it is in.
fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = "build --release --locked --package tidemill-functions --bins --example hello";
    let built = Command::new(cargo).args(arguments.split(' ')).status().expect("cargo can be started");
    assert!(built.success(), "the functions cannot be built: try `cargo {arguments}`");
    let bench = std::env::current_exe().expect("a process knows its binary");
    bench.ancestors().nth(2).expect("cargo puts benches two folders deep").to_owned()
}

fn size(path: &Path) -> u64 {
    path.metadata().unwrap_or_else(|_| panic!("`{}` is not built", path.display())).len()
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A GET as API Gateway hands it over.
fn get(path: &str, key: &str) -> Value {
    let mut event: Value = serde_json::from_str(EVENT).expect("the sample is JSON");
    event["resource"] = path.into();
    event["path"] = path.into();
    event["pathParameters"] = Value::Null;
    event["headers"] = json!({});
    event["multiValueHeaders"] = json!({"authorization": [format!("Bearer {key}")]});
    event
}

/// A table with a key and nothing else, over plain HTTP.
struct Table {
    address: SocketAddr,
    key: String,
}

impl Table {
    async fn start() -> Table {
        let database = Database::memory().expect("a table in memory can be made");
        let store = Store::new(table::client(&database), table::TABLE);
        store.create_table().await.expect("the table can be made");
        let world = TestAmbient::at(jiff::Timestamp::now());
        let owner = OwnerId::parse("bench").expect("the name is well formed");
        let input = key::create::Input { scopes: Some(Scope::ALL.to_vec()), name: None, expires_at: None };
        let made = key::create::make(&store, &world, KeyKind::Live, owner, input).await;
        let key = made.expect("a key can be made").1.expose().to_owned();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        Table { address, key }
    }
}

/// A function and what was measured of it.
struct Program {
    name: &'static str,
    path: PathBuf,
    event: Value,
    /// The event in words.
    of: &'static str,
    starts: Vec<Duration>,
    resident: Vec<u64>,
    peak: Vec<u64>,
    first_answers: Vec<Duration>,
    warm_answers: Vec<Duration>,
}

impl Program {
    fn of(path: PathBuf, name: &'static str, of: &'static str, event: Value) -> Program {
        Program {
            name,
            path,
            event,
            of,
            starts: Vec::new(),
            resident: Vec::new(),
            peak: Vec::new(),
            first_answers: Vec::new(),
            warm_answers: Vec::new(),
        }
    }

    async fn start(&mut self, table: &Table) {
        let mut api = RuntimeApi::start().await;
        let began = Instant::now();
        let process = Process(spawn(&self.path, self.name, api.address, table.address));
        self.starts.push(api.asked().await - began);
        self.resident.push(process.memory("VmRSS:"));
        self.peak.push(process.memory("VmHWM:"));
        let (first, answer) = api.answer(&self.event).await;
        self.first_answers.push(first);
        let is_success = answer.get("statusCode").is_none_or(|status| *status == 200);
        let is_success = is_success && answer.get("errorType").is_none();
        assert!(is_success, "`{}` answered {answer}", self.name);
        for _ in 0..WARM_CALLS {
            self.warm_answers.push(api.answer(&self.event).await.0);
        }
    }
}

/// Starts a process with the environment that Lambda gives, and no more.
fn spawn(path: &Path, name: &str, api: SocketAddr, table: SocketAddr) -> Child {
    let environment = [
        ("_HANDLER", name.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", api.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_LOG_LEVEL", "info".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
        ("AWS_SESSION_TOKEN", "bench".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{table}")),
        ("TIDEMILL_TABLE", table::TABLE.to_owned()),
    ];
    let mut command = Command::new(path);
    command.env_clear().envs(environment).stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().expect("the function can be started")
}

struct Process(Child);

impl Process {
    /// In bytes, from the kernel's own account; 0 where it gives none.
    fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kilobytes: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kilobytes.unwrap_or_default() << 10
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("a process that was started can be ended");
    }
}

fn print_starts(programs: &[Program], starts: usize) {
    println!("\n{starts} starts of each in turn: milliseconds until it asks for work, and its memory then\n");
    println!("| function | binary, MB | minimum | median | maximum | resident, MB | at most, MB |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for Program { name, path, starts, resident, peak, .. } in programs {
        let [least, median, most] = milliseconds(starts);
        let [resident, peak] = [resident, peak].map(|of| megabytes(spread(of)[1]));
        println!(
            "| `{name}` | {:.1} | {least:.1} | {median:.1} | {most:.1} | {resident:.1} | {peak:.1} |",
            megabytes(size(path)),
        );
    }
}

fn print_answers(programs: &[Program]) {
    println!("\nMilliseconds from an event to its answer: the first in a process, and {WARM_CALLS} after it\n");
    println!("| function | event | first: minimum | median | maximum | later: minimum | median | maximum |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for Program { name, of, first_answers, warm_answers, .. } in programs {
        let [first_least, first, first_most] = milliseconds(first_answers);
        let [least, median, most] = milliseconds(warm_answers);
        println!(
            "| `{name}` | {of} | {first_least:.2} | {first:.2} | {first_most:.2} | {least:.2} | {median:.2} | {most:.2} |",
        );
    }
}

fn milliseconds(times: &[Duration]) -> [f64; 3] {
    spread(times).map(|time| time.as_secs_f64() * 1e3)
}

/// The least, the median and the most.
fn spread<T: Copy + Ord>(figures: &[T]) -> [T; 3] {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    [sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]]
}
