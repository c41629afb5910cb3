//! Executions of a version.

pub mod cancel;
mod engine_death;
pub mod execute;
pub(crate) mod finish;
pub mod get;
pub mod list;
mod log_ahead;
pub mod logs;
pub(crate) mod open;
pub(crate) mod preparation;
pub(crate) mod progress;
pub(crate) mod request_cancel;
pub mod start;
pub(crate) mod turn;
pub(crate) mod worker;

pub use cancel::Cancel;
pub use get::Get;
pub use list::List;
pub use logs::Logs;
pub use start::Start;
