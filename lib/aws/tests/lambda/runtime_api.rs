//! What a function's process talks to on Lambda, over the loopback; it reads answers while they are sent.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use futures::StreamExt;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// How long a function may keep the test waiting.
const PATIENCE: Duration = Duration::from_secs(20);
/// What stands between the prelude and the body.
const BORDER: [u8; 8] = [0; 8];

/// The runtime API of one process.
pub struct RuntimeApi {
    pub address: SocketAddr,
    events: mpsc::UnboundedSender<(Value, Duration)>,
    answers: mpsc::UnboundedReceiver<Answer>,
}

struct Ends {
    events: Mutex<mpsc::UnboundedReceiver<(Value, Duration)>>,
    answers: mpsc::UnboundedSender<Answer>,
}

/// The mode of an answer, and its parts as they come.
type Answer = (String, mpsc::UnboundedReceiver<Vec<u8>>);

/// An answer that is being sent.
pub struct Streaming {
    pub mode: String,
    pub prelude: Value,
    /// What came with the border of the prelude.
    rest: Vec<u8>,
    parts: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl RuntimeApi {
    pub async fn start() -> RuntimeApi {
        let (events, events_here) = mpsc::unbounded_channel();
        let (answers_here, answers) = mpsc::unbounded_channel();
        let ends = Ends { events: Mutex::new(events_here), answers: answers_here };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .with_state(Arc::new(ends));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
        RuntimeApi { address, events, answers }
    }

    /// Hands an event to the process, which has some time for it; gives the answer when its prelude is there.
    pub async fn call(&mut self, event: &Value, time: Duration) -> Streaming {
        self.events.send((event.clone(), time)).expect("the server runs");
        let answer = timeout(PATIENCE, self.answers.recv()).await.expect("the function answers");
        let (mode, parts) = answer.expect("the server runs");
        let mut streaming = Streaming { mode, prelude: Value::Null, rest: Vec::new(), parts };
        let mut head = Vec::new();
        loop {
            if let Some(border) = head.windows(BORDER.len()).position(|bytes| bytes == BORDER) {
                streaming.prelude = serde_json::from_slice(&head[..border]).expect("the prelude is JSON");
                streaming.rest = head.split_off(border + BORDER.len());
                return streaming;
            }
            head.extend(streaming.part().await.expect("an answer has a prelude and a border"));
        }
    }
}

impl Streaming {
    /// The next part of the body, or its end.
    pub async fn next(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest);
        let part = if rest.is_empty() { self.part().await? } else { rest };
        Some(String::from_utf8(part).expect("it is text"))
    }

    async fn part(&mut self) -> Option<Vec<u8>> {
        timeout(PATIENCE, self.parts.recv()).await.expect("the function goes on")
    }
}

async fn next(State(ends): State<Arc<Ends>>) -> impl IntoResponse {
    let (event, time) = match ends.events.lock().await.recv().await {
        Some(given) => given,
        // The test is over.
        None => std::future::pending().await,
    };
    let deadline = SystemTime::UNIX_EPOCH.elapsed().expect("the clock is right") + time;
    let headers = [
        ("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000000".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:000000000000:function:test".to_owned()),
    ];
    (headers, event.to_string())
}

async fn response(State(ends): State<Arc<Ends>>, headers: HeaderMap, body: Body) -> StatusCode {
    let mode = headers.get("lambda-runtime-function-response-mode").and_then(|mode| mode.to_str().ok());
    let (sender, parts) = mpsc::unbounded_channel();
    ends.answers.send((mode.unwrap_or("buffered").to_owned(), parts)).expect("the test waits for it");
    let mut body: BodyDataStream = body.into_data_stream();
    while let Some(part) = body.next().await {
        let Ok(part) = part else { return StatusCode::BAD_REQUEST };
        // Who reads it may have gone.
        sender.send(part.to_vec()).ok();
    }
    StatusCode::ACCEPTED
}
