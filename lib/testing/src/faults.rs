//! A transport that stands between the SDK and the table: it counts calls and what they cost, and lets the process
//! "die" at any of them, so that from then on nothing is written or read any more.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// At which call the process dies, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// The call does not reach the table.
    Before(usize),
    /// The call reaches the table, its answer does not come back.
    After(usize),
}

/// What a call was, and what it cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metered {
    pub operation: String,
    /// What was asked for, as DynamoDB's API has it.
    pub request: serde_json::Value,
    pub write_units: f64,
    pub read_units: f64,
}

#[derive(Default)]
struct State {
    calls: Vec<Metered>,
    death: Option<Death>,
    is_dead: bool,
    held: Option<Hold>,
    refused: Option<Refused>,
    /// An operation, and how many of its answers are lost.
    lost: Option<(&'static str, usize)>,
}

/// Calls that DynamoDB refuses, as the embedded table never does.
struct Refused {
    /// Empty for any that writes.
    operation: &'static str,
    left: usize,
    answer: serde_json::Value,
}

/// A call that waits on its way to the table, as one of a process that is suspended.
#[derive(Clone, Default)]
pub struct Hold {
    /// Empty for any.
    operation: &'static str,
    /// Calls of the operation that go through before it.
    before: usize,
    arrived: Arc<Notify>,
    released: Arc<Notify>,
}

impl Hold {
    /// Waits until the call is on its way.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Lets the call go on.
    pub fn release(&self) {
        self.released.notify_one();
    }
}

/// The transport with what it counted.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

impl Faults {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("no panic happens while it is held")
    }

    /// Forgets the calls so far, and dies at one to come.
    pub fn die(&self, death: Option<Death>) {
        *self.state() = State { death, ..State::default() };
    }

    pub fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// Holds a call: the first of its operation after so many that go through. Without a name it is the first of any.
    pub fn hold(&self, operation: &'static str, before: usize) -> Hold {
        let hold = Hold { operation, before, ..Hold::default() };
        self.state().held = Some(hold.clone());
        hold
    }

    /// Refuses the next calls of an operation, or without a name of any that writes: none of them reaches the table.
    pub fn refuse(&self, operation: &'static str, calls: usize, answer: serde_json::Value) {
        self.state().refused = Some(Refused { operation, left: calls, answer });
    }

    /// Loses the next answers of an operation, whose calls reach the table, as a connection that breaks does.
    pub fn lose(&self, operation: &'static str, answers: usize) {
        self.state().lost = Some((operation, answers));
    }

    fn is_lost(&self, operation: &str) -> bool {
        let mut state = self.state();
        let Some((_, left)) = state.lost.as_mut().filter(|(lost, left)| *lost == operation && *left > 0) else {
            return false;
        };
        *left -= 1;
        true
    }

    /// What a call is refused with.
    fn refusal(&self, operation: &str) -> Option<serde_json::Value> {
        let mut state = self.state();
        let is_meant = |refused: &Refused| match refused.operation {
            "" => writes(operation),
            one => one == operation,
        };
        let refused = state.refused.as_mut().filter(|refused| is_meant(refused) && refused.left > 0)?;
        refused.left -= 1;
        Some(refused.answer.clone())
    }

    /// The hold that a call runs into.
    fn held(&self, operation: &str) -> Option<Hold> {
        let mut state = self.state();
        let hold = state.held.as_mut().filter(|hold| hold.operation.is_empty() || hold.operation == operation)?;
        match hold.before.checked_sub(1) {
            Some(left) => {
                hold.before = left;
                None
            }
            None => state.held.take(),
        }
    }

    /// The calls since the last [`Faults::die`].
    pub fn calls(&self) -> Vec<Metered> {
        self.state().calls.clone()
    }

    /// Puts itself before a transport.
    pub fn before(&self, inner: SharedHttpClient) -> SharedHttpClient {
        let faults = self.clone();
        http_client_fn(move |settings: &HttpConnectorSettings, components| {
            let inner = inner.http_connector(settings, components);
            SharedHttpConnector::new(Connector { faults: faults.clone(), inner })
        })
    }

    /// Counts a call, and says which it is, whether it reaches the table and whether its answer comes back.
    fn enter(&self, operation: &str, request: &serde_json::Value) -> (usize, bool, bool) {
        let mut state = self.state();
        let call = state.calls.len();
        if state.is_dead {
            return (call, false, false);
        }
        state.calls.push(Metered { operation: operation.to_owned(), request: request.clone(), ..Metered::default() });
        match state.death {
            Some(Death::Before(at)) if at == call => {
                state.is_dead = true;
                (call, false, false)
            }
            Some(Death::After(at)) if at == call => {
                state.is_dead = true;
                (call, true, false)
            }
            _ => (call, true, true),
        }
    }

    fn meter(&self, call: usize, metered: Metered) {
        if let Some(slot) = self.state().calls.get_mut(call) {
            *slot = metered;
        }
    }
}

#[derive(Clone)]
struct Connector {
    faults: Faults,
    inner: SharedHttpConnector,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let (faults, inner) = (self.faults.clone(), self.inner.clone());
        let (operation, asked) = ask_for_cost(&mut request);
        let (call, reaches, comes_back) = faults.enter(&operation, &asked);
        HttpConnectorFuture::new(async move {
            if !reaches {
                return Err(died());
            }
            if let Some(hold) = faults.held(&operation) {
                hold.arrived.notify_one();
                hold.released.notified().await;
            }
            if let Some(refusal) = faults.refusal(&operation) {
                return Ok(HttpResponse::new(
                    StatusCode::try_from(400).expect("it is one"),
                    refusal.to_string().into(),
                ));
            }
            let mut response = inner.call(request).await?;
            if faults.is_lost(&operation) {
                return Err(ConnectorError::io("the connection broke".into()));
            }
            let body = response.body().bytes().unwrap_or_default().to_vec();
            faults.meter(call, cost(operation, asked, &body));
            *response.body_mut() = SdkBody::from(body);
            if comes_back { Ok::<HttpResponse, _>(response) } else { Err(died()) }
        })
    }
}

fn died() -> ConnectorError {
    ConnectorError::user("the process is dead".into())
}

fn ask_for_cost(request: &mut HttpRequest) -> (String, serde_json::Value) {
    let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
    let asked = request.body().bytes().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok());
    let mut asked = asked.unwrap_or_default();
    if asked.is_object() && !target.ends_with("CreateTable") {
        asked["ReturnConsumedCapacity"] = "TOTAL".into();
        *request.body_mut() = SdkBody::from(asked.to_string());
    }
    (target.rsplit('.').next().unwrap_or_default().to_owned(), asked)
}

fn cost(operation: String, request: serde_json::Value, body: &[u8]) -> Metered {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let consumed = match &answer["ConsumedCapacity"] {
        serde_json::Value::Array(tables) => tables.clone(),
        other => vec![other.clone()],
    };
    let units: f64 = consumed.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum();
    let (write_units, read_units) = if writes(&operation) { (units, 0.0) } else { (0.0, units) };
    Metered { operation, request, write_units, read_units }
}

/// Whether an operation of DynamoDB writes.
fn writes(operation: &str) -> bool {
    matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems")
}
