//! A caller of the plane's HTTP API.

use crate::description::Description;
use crate::events::Events;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::sync::Arc;
use tidemill_operations::Plane;
use tokio::sync::watch;
use tower::ServiceExt;

/// A key and the plane that it is for.
#[derive(Clone)]
pub struct User {
    plane: Arc<Plane>,
    pub key: String,
    pub key_id: String,
}

/// What the plane answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The body of a success; anything else fails the test.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.body);
        self.body
    }

    /// The code of a refusal with this status; anything else fails the test.
    #[track_caller]
    pub fn refused(self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body["code"].as_str().expect("an error has a code").to_owned()
    }
}

impl User {
    pub fn new(plane: Arc<Plane>, key: &str, key_id: &str) -> User {
        User { plane, key: key.to_owned(), key_id: key_id.to_owned() }
    }

    /// The same user before another process.
    pub fn at(&self, plane: &Arc<Plane>) -> User {
        User { plane: plane.clone(), ..self.clone() }
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let (parts, body) = self.asked(method.clone(), path, headers, body).await.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("the answer is in memory");
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        if parts.status.is_success() && body.is_object() {
            let lacking = Description::of_this_repository().lacks(&method, path, &body);
            assert!(lacking.is_empty(), "the answer to {method} {path} lacks {lacking:?}: {body}");
        }
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Begins to read a stream of events.
    pub async fn follow(&self, path: &str, headers: &[(&str, &str)]) -> Events {
        let (parts, body) = self.asked(Method::GET, path, headers, Vec::new()).await.into_parts();
        assert_eq!(parts.status, StatusCode::OK, "{path}");
        Events { status: parts.status, headers: parts.headers, body: body.into_data_stream() }
    }

    async fn asked(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> http::Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if !self.key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).expect("the test's request is well formed");
        let service = tidemill_local::service(self.plane.clone(), watch::channel(false).1);
        service.oneshot(request).await.expect("it always answers")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Vec::new()).await
    }

    async fn json(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.send(method, path, &[("content-type", "application/json")], body).await
    }

    /// Deploys a pipeline on a schedule.
    pub async fn deploy(&self, pipeline: Value, schedule: &str) -> Answer {
        self.post("/v1/deployments", json!({"pipeline": pipeline, "schedule": schedule})).await
    }

    /// The ledger of ticks, oldest first: `ran`, `skipped(paused)`, `missed(too_late)`, …
    pub async fn ticks(&self, project: &str) -> Vec<String> {
        let list = self.get(&format!("/v1/deployments/{}/ticks?limit=100", encoded(project))).await.ok();
        let words = list["items"].as_array().expect("a list has items").iter().map(|tick| {
            let outcome = tick["outcome"].as_str().unwrap_or_default();
            match tick["reason"].as_str() {
                Some(reason) => format!("{outcome}({reason})"),
                None => outcome.to_owned(),
            }
        });
        words.rev().collect()
    }

    /// The states of a project's runs, oldest first.
    pub async fn runs(&self, project: &str) -> Vec<Value> {
        let list = self.get(&format!("/v1/runs?limit=100&project={}", encoded(project))).await.ok();
        list["items"].as_array().expect("a list has items").iter().rev().cloned().collect()
    }
}

fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}
