use crate::providers::testing::{Bench, End, nodes};
use crate::{Budget, Error, Input};
use serde_json::{Value as Tree, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that gives prepared answers, one for each connection, and keeps the requests.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn new(answers: Vec<Vec<u8>>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = requests.clone();
        tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                let mut buffer = [0; 65_536];
                while !is_whole(&request) {
                    match socket.read(&mut buffer).await.unwrap() {
                        0 => break,
                        read => request.extend_from_slice(&buffer[..read]),
                    }
                }
                kept.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                // The client may hang up on an answer that is too long.
                let _ = socket.write_all(&answer).await;
                let _ = socket.shutdown().await;
            }
        });
        Server { port, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn request(&self, index: usize) -> String {
        self.requests.lock().unwrap()[index].clone()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

async fn run(config: Tree, body: &str, lane: &'static str) -> Result<End, Error> {
    run_within(config, body, lane, &Budget::default()).await
}

async fn run_within(config: Tree, body: &str, lane: &'static str, budget: &Budget) -> Result<End, Error> {
    let plan = nodes(&[
        ("webhook", json!({}), "documents"),
        ("json", json!({ "program": ".[]" }), "documents"),
        ("http_request", config, lane),
        ("response", json!({}), ""),
    ]);
    let bench = Bench::new().private_network().secret("TOKEN", "s3cr3t/token value");
    bench.input(Input::new("application/json", body.to_owned())).run_within(&plan, budget).await
}

#[tokio::test]
async fn a_value_is_sent_and_its_answer_goes_on() {
    let server = Server::new(vec![answer("200 OK", "", r#"{"id": 7}"#), answer("201 Created", "", "[]")]).await;
    let config = json!({
        "url": format!("{}?x={{{{ value.q | urlencode }}}}", server.url("/items")),
        "headers": { "Authorization": "Bearer ${TOKEN}", "X-Run": "{{ run.project }}" },
    });

    let end = run(config, r#"[{"q":"a b"}, {"q":"c"}]"#, "documents").await.unwrap();

    assert_eq!(end.result["documents"], json!([{ "id": 7 }, []]));
    let (first, second) = (server.request(0), server.request(1));
    assert!(first.starts_with("POST /items?x=a%20b HTTP/1.1\r\n"), "{first}");
    assert!(first.contains("authorization: Bearer s3cr3t/token value\r\n"), "{first}");
    assert!(first.contains("x-run: proj\r\n") && first.contains("content-type: application/json\r\n"), "{first}");
    assert!(first.ends_with("\r\n\r\n{\"q\":\"a b\"}"), "{first}");
    assert!(first.contains("idempotency-key: run-1:http_request_2:run-1:0\r\n"), "{first}");
    assert!(second.contains("idempotency-key: run-1:http_request_2:run-1:0:2\r\n"), "{second}");
}

#[tokio::test]
async fn passing_failures_are_tried_again() {
    let failed = answer("503 Service Unavailable", "retry-after: 0\r\n", "busy");
    let server = Server::new(vec![failed, answer("429 Too Many", "", ""), answer("200 OK", "", "fine")]).await;

    let end = run(json!({ "url": server.url("/") }), "[1]", "text").await.unwrap();

    assert_eq!(end.result["text"], json!(["fine\n\n"]));
    assert_eq!(end.log.len(), 2);
    let key =
        |index| server.request(index).lines().find(|line| line.starts_with("idempotency-key")).unwrap().to_owned();
    assert_eq!(key(0), key(2));
}

#[tokio::test]
async fn other_failures_are_errors_that_show_status_and_answer() {
    let long = "no".repeat(300);
    for (status, headers, body, expected) in [
        ("400 Bad Request", "", long.as_str(), "`127.0.0.1` answered 400: nonono"),
        (
            "302 Found",
            "location: http://169.254.169.254/latest\r\n",
            "",
            "redirects to `http://169.254.169.254/latest`",
        ),
        ("500 Oops", "retry-after: 31\r\n", "s3cr3t/token value", "answered 500: <TOKEN>"),
        ("200 OK", "", "<html>", "is not JSON"),
    ] {
        let server = Server::new(vec![answer(status, headers, body)]).await;

        let error = run(json!({ "url": server.url("/"), "retries": 1 }), "[1]", "documents").await.unwrap_err();

        assert!(error.message.contains(expected) && error.message.len() < 260, "{}", error.message);
        assert_eq!(error.retryable, status.starts_with('5'), "{status}");
        assert_eq!(server.requests.lock().unwrap().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_gives_no_document_and_is_counted() {
    let server = Server::new(vec![answer("204 No Content", "", ""), answer("200 OK", "", "[1]")]).await;

    let end = run(json!({ "url": server.url("/") }), "[1, 2]", "documents").await.unwrap();

    assert_eq!(end.result["documents"], json!([[1]]));
    assert_eq!(end.counted("http_request_2"), (2, 1, 0, "1: the answer has no body".to_owned()));
}

#[tokio::test]
async fn an_expected_status_is_a_success() {
    let server = Server::new(vec![answer("404 Not Found", "", "gone")]).await;

    let end = run(json!({ "url": server.url("/"), "method": "GET", "expect": [404] }), "[1]", "text").await.unwrap();

    assert_eq!(end.result["text"], json!(["gone\n\n"]));
    assert!(server.request(0).ends_with("\r\n\r\n"), "GET has no body");
}

#[tokio::test]
async fn a_long_answer_is_refused_with_the_limit() {
    let server = Server::new(vec![answer("200 OK", "", "x".repeat(6_000_000))]).await;

    let error = run(json!({ "url": server.url("/") }), "[1]", "text").await.unwrap_err();

    assert!(error.message.contains("larger than 5 MB"), "{}", error.message);
}

#[tokio::test]
async fn a_compressed_answer_is_read_and_counts_with_its_full_size() {
    let compressed = "content-encoding: gzip\r\n";
    let (small, bomb) = (gzipped(br#"{"id": 7}"#), gzipped(&vec![b'x'; 6_000_000]));
    assert!(bomb.len() < 10_000);
    let server = Server::new(vec![answer("200 OK", compressed, small), answer("200 OK", compressed, bomb)]).await;
    let config = json!({ "url": server.url("/"), "method": "GET" });

    let end = run(config.clone(), "[1]", "documents").await.unwrap();
    let error = run(config, "[1]", "text").await.unwrap_err();

    assert_eq!(end.result["documents"], json!([{ "id": 7 }]));
    assert!(server.request(0).contains("accept-encoding: gzip\r\n"), "{}", server.request(0));
    assert!(error.message.contains("larger than 5 MB"), "{}", error.message);
}

#[tokio::test]
async fn names_of_local_addresses_are_refused_when_they_are_resolved() {
    let plan = nodes(&[
        ("webhook", json!({}), "documents"),
        ("http_request", json!({ "url": "http://localhost/{{ value }}" }), "text"),
        ("response", json!({}), ""),
    ]);

    let error = Bench::new().input(Input::new("application/json", "1")).run(&plan).await.unwrap_err();

    assert!(error.message.starts_with("`localhost` is refused: its address `"), "{}", error.message);
    assert!(error.hint.unwrap().contains("--allow-private-network"));
    assert!(!error.retryable);
}

#[tokio::test]
async fn an_unreachable_server_is_a_passing_error_without_the_url() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let config = json!({ "url": format!("http://127.0.0.1:{port}/${{TOKEN}}"), "retries": 0 });

    let error = run(config, "[1]", "text").await.unwrap_err();

    assert!(error.message.starts_with("`127.0.0.1` cannot be reached"), "{}", error.message);
    assert!(error.hint.unwrap().contains("the host and the port"));
    assert!(error.retryable);
}

#[tokio::test]
async fn a_step_ends_after_an_outside_call_that_took_as_long_as_the_budget_says() {
    for (outside, steps) in [(Duration::ZERO, 3), (Duration::MAX, 1)] {
        let server = Server::new(vec![answer("200 OK", "", "one"), answer("200 OK", "", "two")]).await;
        let config = json!({ "url": server.url("/") });

        let end = run_within(config, "[1, 2]", "text", &Budget { outside, ..Budget::default() }).await.unwrap();

        assert_eq!(end.steps, steps, "one for each call, and one that ends the run");
    }
}
