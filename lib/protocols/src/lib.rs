//! The wire forms of the operations. [`functions`] is the one table of what there is; [`rest`] is plain HTTP with JSON;
//! [`dap`] is the WebSocket of RocketRide's clients; [`invoke`] is JSON without HTTP, for callers with AWS credentials;
//! [`task_status`] is how a task stands for RocketRide's clients; [`error_codes`] gives each refusal its form on every
//! wire.

pub mod dap;
pub mod error_codes;
pub mod functions;
pub mod invoke;
pub mod rest;
pub mod route;
pub mod task_status;
