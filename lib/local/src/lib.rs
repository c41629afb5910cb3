//! The whole plane in one process: the front door, timers, queues and the embedded table around the very same
//! operations that the cloud runs. Nothing here decides anything: a restart, also after SIGKILL, starts from the table.
//!
//! [`Local::start`] puts it together; [`table`] embeds DynamoDB; [`queue`] and [`timers`] are the bells; [`front`] turns
//! HTTP into calls of the function table, `dap_sockets` the WebSockets of RocketRide's clients into sessions, and
//! `workers` answer bells. [`engine`] has the processes that execute pipelines.

mod admission;
mod cipher;
mod connection;
mod dap_sockets;
mod door;
pub mod engine;
mod folder;
mod front;
mod guarded;
mod hosts;
mod local;
mod openapi;
mod origin;
pub mod queue;
pub mod table;
pub mod timers;
mod turns;
mod workers;

pub use cipher::KeyFileCipher;
pub use door::Door;
pub use folder::StartError;
pub use front::service;
pub use local::{Local, Options, open_store, outputs};
pub use openapi::{Routed, Router};
/// What to do about an error, in words for users of the command.
pub use tidemill_protocols::hints;
