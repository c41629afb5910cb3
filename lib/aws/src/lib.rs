//! What exists only on AWS: Lambda events in, EventBridge Scheduler, SQS, KMS and the WebSockets of API
//! Gateway out.
//!
//! `functions/src/main.rs` calls [`serve()`] with [`function_name`], the name in the table of functions that its process
//! was started for, and nothing else. `configuration` builds the plane from the environment; `http_event`,
//! `socket_event` and `bell_event` turn events into calls of the handlers, and `streamed` sends streams of events;
//! `timers`, `queue`, `cipher` and `gateway_sockets` are what the operations work with. No rule lives here.

mod bell_event;
mod cipher;
mod clients;
mod configuration;
#[cfg(feature = "faults")]
mod faults;
mod gateway_sockets;
mod http_event;
mod queue;
mod serve;
mod socket_event;
mod streamed;
mod timers;
mod visibility;

pub use cipher::KmsCipher;
pub use clients::Clients;
pub use configuration::{Configuration, Variable, plane, plane_of_host};
pub use gateway_sockets::ApiGatewaySockets;
pub use queue::SqsQueue;
pub use serve::{function_name, serve};
pub use timers::SchedulerTimers;
