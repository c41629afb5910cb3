//! One file per operation: input, rule, output. Knows no protocol: its callers have authenticated and parsed.
//!
//! [`Operation`] is the shape of one that a user calls; `deployment_tick`, `run_execute` and `plane_sweep` are what
//! timers and queues call, `key_issue` is what the operator does. [`plane`] is what they all work with.

pub mod ambient;
pub mod answer;
pub mod bell;
pub mod error;
pub mod hint;
mod idempotency;
pub mod lease;
pub mod plane;

pub mod access;
pub mod caller_get;
pub mod deployment;
pub mod environment;
pub mod group;
pub mod hook_receive;
pub mod key;
pub mod pipeline_validate;
pub mod provider_list;
pub mod rollout;
pub mod run;
pub mod schedule_preview;
pub mod schema_get;
pub mod secret;
pub mod socket;
pub mod task;
pub mod tick;
pub mod version;

pub use ambient::{Ambient, Clock, Entropy, SystemAmbient};
pub use bell::{Bell, BellOutcome, QueueKind};
pub use environment::change::OfEnvironment;
pub use error::{Code, Detail, Error};
pub use hint::{Hint, Noun};
pub use idempotency::Answer;
pub use plane::{Call, Cipher, Plane, Queue, Reached, Sockets, Timers};
pub use tidemill_engine::{Input as EngineInput, body};

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use tidemill_model::key::Scope;

/// An operation that a user calls.
pub trait Operation: 'static {
    /// Noun first: also the name of its function, its file and its tests.
    const NAME: &'static str;
    /// The scope that the caller's key needs; `None` if any live key will do.
    const SCOPE: Option<Scope>;
    type Input: DeserializeOwned + Send;
    type Output: Serialize + Send;

    /// Runs the operation for an authenticated caller.
    fn run(plane: &Plane, call: &Call, input: Self::Input) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}
