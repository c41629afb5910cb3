//! What a function's process talks to on Lambda, over the loopback.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// How long a function may take to ask or to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The runtime API of one process.
pub struct RuntimeApi {
    pub address: SocketAddr,
    asked: mpsc::UnboundedReceiver<Instant>,
    answered: mpsc::UnboundedReceiver<(Instant, Value)>,
    events: mpsc::UnboundedSender<Value>,
    server: JoinHandle<()>,
}

struct Ends {
    asked: mpsc::UnboundedSender<Instant>,
    answered: mpsc::UnboundedSender<(Instant, Value)>,
    events: Mutex<mpsc::UnboundedReceiver<Value>>,
}

impl RuntimeApi {
    pub async fn start() -> RuntimeApi {
        let (asked_here, asked) = mpsc::unbounded_channel();
        let (answered_here, answered) = mpsc::unbounded_channel();
        let (events, events_here) = mpsc::unbounded_channel();
        let ends = Ends { asked: asked_here, answered: answered_here, events: Mutex::new(events_here) };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(outcome))
            .with_state(Arc::new(ends));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
        RuntimeApi { address, asked, answered, events, server }
    }

    /// Waits until the process asks for work.
    pub async fn asked(&mut self) -> Instant {
        let asked = tokio::time::timeout(PATIENCE, self.asked.recv()).await;
        asked.expect("the function asks for work").expect("the server runs")
    }

    /// Gives an event to a process that waits for one, and waits for its answer.
    pub async fn answer(&mut self, event: &Value) -> (Duration, Value) {
        let began = Instant::now();
        self.events.send(event.clone()).expect("the server runs");
        let answered = tokio::time::timeout(PATIENCE, self.answered.recv()).await;
        let (at, answer) = answered.expect("the function answers").expect("the server runs");
        self.asked().await;
        (at - began, answer)
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(ends): State<Arc<Ends>>) -> impl IntoResponse {
    // The receiver may be gone.
    ends.asked.send(Instant::now()).ok();
    let event = ends.events.lock().await.recv().await.unwrap_or_default();
    let deadline = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default() + Duration::from_secs(60);
    let headers = [
        ("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000000".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench".to_owned()),
    ];
    (headers, event.to_string())
}

async fn outcome(State(ends): State<Arc<Ends>>, body: String) -> StatusCode {
    ends.answered.send((Instant::now(), serde_json::from_str(&body).unwrap_or_default())).ok();
    StatusCode::ACCEPTED
}
