//! One file per operation: input, rule, output. Knows no protocol: whoever calls has authenticated and parsed.
//!
//! [`Operation`] is the shape of one that a user calls; `deployment_tick`, `run_execute` and `plane_sweep` are what
//! timers and queues call, `key_issue` is what the operator does. [`plane`] is what they all work with.

pub mod answer;
pub mod caller;
mod change;
mod definition;
mod environment_change;
pub mod error;
mod finish;
mod idempotency;
mod open_runs;
pub mod plane;
mod preparation;
pub mod rollout_answer;
mod rollout_apply;
mod rollout_problems;
pub mod rollout_request;
mod rollout_standing;
mod task_life;
mod watching;

pub mod authenticate;
pub mod deployment_add;
pub mod deployment_get;
pub mod deployment_list;
pub mod deployment_pause;
pub mod deployment_remove;
pub mod deployment_resume;
pub mod deployment_tick;
pub mod deployment_update;
pub mod environment_deploy;
pub mod environment_disable;
pub mod environment_enable;
pub mod environment_get;
pub mod environment_history;
pub mod environment_list;
pub mod environment_notices;
pub mod environment_remove;
pub mod environment_run;
pub mod environment_source;
pub mod group_add;
pub mod group_get;
pub mod group_list;
pub mod group_remove;
pub mod hook_receive;
pub mod key_create;
pub mod key_issue;
pub mod key_list;
pub mod key_revoke;
pub mod pipeline_validate;
pub mod plane_doctor;
pub mod plane_status;
pub mod plane_sweep;
pub mod provider_list;
pub mod rollout_cancel;
pub mod rollout_details;
pub mod rollout_execute;
pub mod rollout_follow;
pub mod rollout_get;
pub mod rollout_list;
pub mod rollout_preview;
pub mod rollout_start;
pub mod rollout_wait;
pub mod run_cancel;
pub mod run_execute;
pub mod run_get;
pub mod run_list;
pub mod run_logs;
pub mod run_start;
pub mod schedule_preview;
pub mod secret_list;
pub mod secret_remove;
pub mod secret_set;
pub mod task_end;
pub mod task_get;
pub mod task_list;
pub mod task_open;
pub mod task_pipeline;
pub mod task_restart;
pub mod task_send;
pub mod task_trace;
pub mod tick_list;
pub mod tick_why;
pub mod version_add;
pub mod version_get;
pub mod version_list;

pub use environment_change::OfEnvironment;
pub use error::{Code, Detail, Error};
pub use idempotency::Answer;
pub use plane::{Bell, Call, Cipher, Plane, Queue, Reached, Sockets, Timers, World};
pub use tidemill_engine::Input as EngineInput;

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use tidemill_model::key::Scope;

/// Something that a user asks of the plane.
pub trait Operation: 'static {
    /// Noun first: also the name of the file, the binary, the log span and the test file.
    const NAME: &'static str;
    /// What the caller's key must be allowed to do.
    const SCOPE: Scope;
    type Input: DeserializeOwned + Send;
    type Output: Serialize + Send;

    /// Does it.
    fn run(plane: &Plane, call: &Call, input: Self::Input) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}
