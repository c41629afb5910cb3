//! Runs a plan: objects stream from the source through the components, with a checkpoint after each step.
//!
//! The engine never sees the store: the host gives it secrets, input and the keys seen before ([`RunContext`]), and
//! saves what each [`Step`] made. Start at [`Execution`]; [`providers`] has one file for each kind of component. A host that does not
//! care where a plan is executed asks an [`Engine`].

mod assembly;
mod bindings;
pub mod body;
mod checkpoint;
mod component;
mod context;
mod duration;
mod engine;
mod error;
mod execution;
pub mod filter;
mod flow;
mod folders;
mod gauge;
mod in_process;
mod input;
mod jq;
mod json;
mod ledger;
mod log;
mod masks;
mod object;
pub mod outbound;
pub mod providers;
mod results;
mod secrets;
mod step;
mod templates;
mod texts;
mod trace;
mod value;

pub use context::{Folders, Host, HostError, RunContext, RunFacts, SeenKeys};
pub use engine::{Death, Engine, Halt, Running, Work};
pub use error::Error;
pub use execution::Execution;
pub use gauge::Gauge;
pub use in_process::InProcess;
pub use input::{Arriving, Input, Live, PARTS, RunEnded, RunInput, Sender};
pub use log::{Level, LogLine};
pub use masks::{Masks, SHORTEST_MASKED};
pub use outbound::{NetworkPolicy, Outbound};
pub use providers::{Untaken, catalogue, check_input};
pub use secrets::{required_secrets, secret_names};
pub use step::{Budget, Counts, NewKey, Outcome, Step};
pub use trace::{EVENT_LIMIT, Event, EventKind, TraceEvents};
