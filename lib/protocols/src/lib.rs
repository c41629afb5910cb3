//! The wire forms of the operations. [`functions`] is the one table of what there is, and [`rights`] what each function
//! may do; [`rest`] is plain HTTP with JSON, [`rocketride`] the HTTP routes of RocketRide's server and [`dap`] the WebSocket
//! of its clients, also where API Gateway holds it; [`checkly`] the HTTP API that Checkly's clients
//! deploy by; [`sse`] is how streams of events are written; [`invoke`] is JSON without HTTP, for callers with AWS
//! credentials; [`error_codes`] gives each refusal its form on every wire.

pub mod checkly;
pub mod dap;
pub mod error_codes;
pub mod functions;
pub mod hints;
pub mod invoke;
mod objects;
pub mod refused;
pub mod rest;
pub mod rights;
pub mod rocketride;
pub mod route;
pub mod sse;
mod task_refusal;
pub mod task_status;
