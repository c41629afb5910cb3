//! What RocketRide's clients wait for: round trips over WebSockets, and what idle ones cost. Prints figures and asserts
//! none: machines differ. The plane and its clients share this process, so each figure holds both.
//!
//! `cargo bench -p tidemill-benches --bench sockets -- [SECONDS]`

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use futures::future::join_all;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tidemill_local::engine::Program;
use tidemill_local::{Local, Options};
use tidemill_operations::socket::LOGINS_OF_KEY;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// How long each kind of round trip is measured, in seconds.
const SECONDS: u64 = 3;
const CONNECTIONS: usize = 50;
const IDLE_CONNECTIONS: usize = 1_000;
const OWNERS: usize = 100;
const TASKS_OF_AN_OWNER: usize = 100;

fn main() {
    // Engine processes are this binary.
    Program::this();
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(bench());
}

async fn bench() {
    let seconds = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(SECONDS);
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
    let (url, key) = (plane.url().replace("http", "ws") + "/task/service", plane.key().to_owned());
    println!("| round trip | connections | per second | p50 | p99 |\n|---|---|---|---|---|");
    for connections in [1, CONNECTIONS] {
        let mut sockets = Vec::new();
        for _ in 0..connections {
            sockets.push(Socket::open(&url, &key).await);
        }
        let token = sockets[0].task("echo").await;
        sockets[0].ask("rrext_deploy_add", json!({"pipeline": echo("deployed")})).await;
        for trip in [Trip::Ping, Trip::Status, Trip::Send(token)] {
            measure(&trip, &mut sockets, Duration::from_secs(seconds)).await;
        }
        sockets[0].ask("rrext_deploy_remove", json!({"projectId": "deployed"})).await;
    }
    idle(&url, folder.path()).await;
    plane.stop().await;
}

enum Trip {
    Ping,
    Status,
    /// 1 KB through webhook and response: open, write, close.
    Send(String),
}

impl Trip {
    fn name(&self) -> &'static str {
        match self {
            Trip::Ping => "`rrext_ping`",
            Trip::Status => "`deploy.status`",
            Trip::Send(_) => "`send` of 1 KB",
        }
    }

    async fn make(&self, socket: &mut Socket) {
        match self {
            Trip::Ping => drop(socket.ask("rrext_ping", json!({})).await),
            Trip::Status => drop(socket.ask("rrext_deploy_status", json!({"projectId": "deployed"})).await),
            Trip::Send(token) => socket.send(token, &"x".repeat(1024)).await,
        }
    }
}

async fn measure(trip: &Trip, sockets: &mut [Socket], time: Duration) {
    let began = Instant::now();
    let connections = sockets.len();
    let each = sockets.iter_mut().map(|socket| async move {
        let mut taken = Vec::new();
        while began.elapsed() < time {
            let start = Instant::now();
            trip.make(socket).await;
            taken.push(start.elapsed());
        }
        taken
    });
    let mut taken: Vec<Duration> = join_all(each).await.into_iter().flatten().collect();
    taken.sort();
    let rate = taken.len() as f64 / began.elapsed().as_secs_f64();
    let (p50, p99) = (taken[taken.len() / 2], taken[taken.len() * 99 / 100]);
    println!("| {} | {connections} | {rate:.0} | {p50:.2?} | {p99:.2?} |", trip.name());
}

/// What connections and tasks cost that do nothing.
async fn idle(url: &str, folder: &std::path::Path) {
    let store = tidemill_local::open_store(folder).await.expect("the table can be opened beside the plane");
    let mut keys = Vec::new();
    for owner in 0..IDLE_CONNECTIONS.div_ceil(LOGINS_OF_KEY) {
        keys.push(key_of(&store, &format!("idle-{owner}")).await);
    }
    let before = resident();
    let mut sockets = Vec::new();
    for number in 0..IDLE_CONNECTIONS {
        sockets.push(Socket::open(url, &keys[number % keys.len()]).await);
    }
    println!(
        "\n{IDLE_CONNECTIONS} idle connections: {} KB each, both ends",
        (resident() - before) / IDLE_CONNECTIONS as i64
    );
    drop(sockets);
    let before = resident();
    let began = Instant::now();
    for owner in 0..OWNERS {
        let key = key_of(&store, &format!("owner-{owner}")).await;
        let mut socket = Socket::open(url, &key).await;
        for task in 0..TASKS_OF_AN_OWNER {
            socket.task(&format!("task-{task}")).await;
        }
    }
    let count = OWNERS * TASKS_OF_AN_OWNER;
    println!("{count} tasks opened in {:.1?}", began.elapsed());
    println!("{count} idle tasks: {} KB in all, {} KB resident", resident() - before, resident());
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

/// A client's socket that asks one thing after the other.
struct Socket {
    stream: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    last_seq: u64,
}

impl Socket {
    async fn open(url: &str, key: &str) -> Socket {
        // Small, so that idle connections show what they cost the plane.
        let small = WebSocketConfig::default().read_buffer_size(4 * 1024);
        let (stream, _) = connect_async_with_config(url, Some(small), true).await.expect("the plane takes sockets");
        let mut socket = Socket { stream, last_seq: 0 };
        socket.ask("auth", json!({"auth": key})).await;
        socket
    }

    async fn ask(&mut self, command: &str, arguments: Value) -> Value {
        self.last_seq += 1;
        let request = json!({"type": "request", "seq": self.last_seq, "command": command, "arguments": arguments});
        self.exchange(Message::text(request.to_string())).await
    }

    async fn exchange(&mut self, message: Message) -> Value {
        self.stream.send(message).await.expect("the socket is open");
        loop {
            let received = self.stream.next().await.expect("the plane answers").expect("the socket is open");
            if let Message::Text(text) = received {
                let answer: Value = serde_json::from_str(&text).expect("an answer is JSON");
                assert_eq!(answer["success"], true, "{answer}");
                return answer["body"].clone();
            }
        }
    }

    /// Opens a task of the echo pipeline, or finds it.
    async fn task(&mut self, project: &str) -> String {
        let arguments = json!({"pipeline": echo(project), "useExisting": true, "threads": 64});
        self.ask("execute", arguments).await["token"].as_str().expect("a task has a token").to_owned()
    }

    async fn send(&mut self, token: &str, text: &str) {
        let object = json!({"size": text.len()});
        let open = json!({"subcommand": "open", "token": token, "object": object, "mimeType": "text/plain"});
        let pipe = self.ask("rrext_process", open).await["pipe_id"].clone();
        self.last_seq += 1;
        let arguments = json!({"subcommand": "write", "token": token, "pipe_id": pipe});
        let head = json!({"type": "request", "seq": self.last_seq, "command": "rrext_process", "arguments": arguments});
        self.exchange(Message::binary(format!("{head}\n{text}"))).await;
        let close = json!({"subcommand": "close", "token": token, "pipe_id": pipe});
        let result = self.ask("rrext_process", close).await;
        assert!(result["text"].is_array(), "{result}");
    }
}

fn echo(project: &str) -> Value {
    json!({"project_id": project, "source": "webhook_1", "components": [
        {"id": "webhook_1", "provider": "webhook", "config": {"mode": "Source"}},
        {"id": "response_1", "provider": "response", "config": {}, "input": [{"lane": "text", "from": "webhook_1"}]},
    ]})
}

/// KB of memory that this process has.
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
