//! Strangers at the front door, over real sockets. The clock of the connections is stopped: it goes on when nothing else can,
//! so a limit of time is reached at once.

use crate::given::echo;
use futures::{FutureExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tidemill_local::Door;
use tidemill_testing::TestPlane;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(world: &TestPlane) -> (Door, String) {
    let door = Door::open(world.plane.clone(), ([127, 0, 0, 1], 0).into(), None).await.unwrap();
    let address = door.url().strip_prefix("http://").unwrap().to_owned();
    (door, address)
}

/// Sends what it has, and then nothing more; gives what is answered until the connection is closed.
async fn answered(address: &str, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset is an end, too.
    _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn socket(address: &str) -> Socket {
    connect_async(format!("ws://{address}/task/service")).await.unwrap().0
}

async fn log_in(socket: &mut Socket, key: &str) -> Value {
    let login = json!({"type": "request", "seq": 1, "command": "auth", "arguments": {"auth": key}});
    socket.send(Message::Text(login.to_string().into())).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    serde_json::from_str(answer.to_text().unwrap()).unwrap()
}

/// The code that a socket is closed with; what comes before is passed over.
async fn closed(socket: &mut Socket) -> Option<u16> {
    let next = async |socket: &mut Socket| timeout(Duration::from_secs(60), socket.next()).await.expect("it is closed");
    while let Some(Ok(message)) = next(socket).await {
        if let Message::Close(frame) = message {
            return frame.map(|CloseFrame { code, .. }| code.into());
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_a_slow_head_and_an_idle_one_are_closed() {
    let world = TestPlane::new().await;
    let (_door, address) = open(&world).await;
    let health = "GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for (sent, within) in [("", 10), ("GET /v1/health HTTP/1.1\r\nhost: local", 30), (health, 30)] {
        let started = Instant::now();
        let answer = timeout(Duration::from_secs(600), answered(&address, sent)).await.expect("it is closed");
        assert_eq!(started.elapsed().as_secs(), within, "{sent:?}: {answer}");
        assert_eq!(answer.contains("200 OK"), sent == health, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (_door, address) = open(&world).await;
    let key = &ana.key;
    let head = format!("POST /v1/validate HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n");

    let unfinished = format!("{head}content-length: 100\r\n\r\n{{");
    let answer = timeout(Duration::from_secs(70), answered(&address, &unfinished)).await.expect("it is not waited for");

    assert!(answer.contains("400 Bad Request") && answer.contains("the body did not arrive in time"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_refused_before_its_body_is_read() {
    let world = TestPlane::new().await;
    let (_door, address) = open(&world).await;
    // None of the bodies ever comes: what waits for one answers that it did not.
    for path in ["/v1/deployments", "/v1/keys", "/v1/rollouts", "/v1/validate"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4194304\r\n\r\n");
        let answer = answered(&address, &head).await;
        assert!(answer.contains("401 Unauthorized"), "{path}: {answer}");
    }
    let hook = "POST /hooks/00000000000000000000000000 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4194304\r\n\r\n";
    assert!(answered(&address, hook).await.contains("404 Not Found"));
}

#[tokio::test(start_paused = true)]
async fn a_request_for_another_host_is_refused_on_every_protocol() {
    let world = TestPlane::new().await;
    let (_door, address) = open(&world).await;
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    for path in ["/v1/health", "/next/projects", "/ping", "/task/service"] {
        let head = |host: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{upgrade}\r\n");
        let answer = answered(&address, &head("evil.example")).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{path}: {answer}");
        assert!(answer.contains("--host NAME"), "{path}: {answer}");
        let answer = answered(&address, &head("localhost")).await;
        assert!(!answer.starts_with("HTTP/1.1 421 "), "{path}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_silent_sockets_of_an_address_do_not_lock_out_a_login_from_there() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (_door, address) = open(&world).await;
    let mut silent = Vec::new();
    for _ in 0..30 {
        silent.push(socket(&address).await);
    }

    let answer = log_in(&mut socket(&address).await, &ana.key).await;

    assert_eq!(answer["success"], true, "{answer}");
    assert!(silent.iter_mut().all(|socket| socket.next().now_or_never().is_none()), "none had to go for it");
    for socket in &mut silent {
        assert_eq!(closed(socket).await, Some(1008));
    }
}

#[tokio::test]
async fn a_stranger_sends_64_kib_at_most_and_a_known_caller_more() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (_door, address) = open(&world).await;
    let frame = |bytes: usize| {
        let noise = "x".repeat(bytes);
        let ping = json!({"type": "request", "seq": 2, "command": "rrext_ping", "arguments": {"noise": noise}});
        Message::Text(ping.to_string().into())
    };

    // One frame, and many small ones.
    let mut stranger = socket(&address).await;
    _ = stranger.send(frame(1024 * 1024)).await;
    let refused = closed(&mut stranger).await;
    let mut talkative = socket(&address).await;
    let probe = json!({"type": "request", "seq": 1, "command": "rrext_public_probe", "arguments": {}}).to_string();
    for _ in 0..2 * 64 * 1024 / probe.len() {
        _ = talkative.send(Message::Text(probe.clone().into())).await;
    }
    let stopped = closed(&mut talkative).await;
    let mut known = socket(&address).await;
    log_in(&mut known, &ana.key).await;
    known.send(frame(1024 * 1024)).await.unwrap();

    // What is still on its way when a socket closes may take the close frame with it.
    assert!(matches!((refused, stopped), (None | Some(1009), None | Some(1009))), "{refused:?}, {stopped:?}");
    assert!(known.next().await.unwrap().unwrap().to_text().unwrap().contains("\"success\":true"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_no_answers_to_its_pings_is_not_read_either() {
    /// More than the system keeps for both ends of a connection.
    const FLOOD: usize = 64 * 1024 * 1024;
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (_door, address) = open(&world).await;
    let mut socket = socket(&address).await;
    log_in(&mut socket, &ana.key).await;
    let MaybeTlsStream::Plain(stream) = socket.get_mut() else { panic!("it is not encrypted") };

    // Pings of 125 bytes each, masked with zeros.
    let ping = [&[0x89, 0x80 | 125, 0, 0, 0, 0], [b'x'; 125].as_slice()].concat();
    let pings = ping.repeat(1000);
    let mut sent = 0;
    while sent < FLOOD && timeout(Duration::from_secs(2), stream.write_all(&pings)).await.is_ok_and(|one| one.is_ok()) {
        sent += pings.len();
    }

    assert!(sent < FLOOD, "{sent} bytes of pings were taken from a client that reads nothing");
}

#[tokio::test(start_paused = true)]
async fn pipelines_are_checked_without_a_key_as_often_as_an_editor_asks() {
    let world = TestPlane::new().await;
    let (_door, address) = open(&world).await;
    let body = json!({"pipeline": echo("p")}).to_string();
    let length = body.len();
    let request = format!(
        "POST /pipe/validate HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    for _ in 0..100 {
        assert!(answered(&address, &request).await.contains("200 OK"));
    }

    let refused = answered(&address, &request).await;

    assert!(refused.starts_with("HTTP/1.1 429 ") && refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("\"RATE_LIMITED\""), "{refused}");
    world.sleep(Duration::from_secs(1));
    assert!(answered(&address, &request).await.contains("200 OK"));
}

#[tokio::test(start_paused = true)]
async fn a_door_that_closes_answers_what_was_asked() {
    let world = TestPlane::new().await;
    let (door, address) = open(&world).await;
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut silent = TcpStream::connect(&address).await.unwrap();
    sleep(Duration::from_secs(1)).await;

    timeout(Duration::from_secs(1), door.close()).await.expect("neither is waited for");

    let (mut answer, mut nothing) = (String::new(), String::new());
    idle.read_to_string(&mut answer).await.unwrap();
    silent.read_to_string(&mut nothing).await.unwrap();
    assert!(answer.contains("200 OK") && nothing.is_empty(), "{answer}{nothing}");
}
