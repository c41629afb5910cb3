//! Deploys of many pipelines at once, carried out by a worker.

pub mod answer;
pub(crate) mod apply;
pub mod begin;
pub mod cancel;
pub mod details;
pub(crate) mod ending;
pub mod execute;
pub mod follow;
pub mod get;
pub(crate) mod gone;
pub mod list;
pub(crate) mod preparation;
pub mod preview;
pub(crate) mod problems;
pub mod request;
pub(crate) mod standing;
pub mod start;
pub mod wait;
pub mod watches;
pub(crate) mod worker;

pub use cancel::Cancel;
pub use get::Get;
pub use list::List;
pub use preview::Preview;
pub use start::Start;
