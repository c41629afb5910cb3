//! Runs that stay open for data.

pub mod end;
pub mod get;
pub(crate) mod life;
pub mod list;
pub mod of_run;
pub mod open;
pub(crate) mod opening;
pub mod pipe;
pub mod pipeline;
pub mod restart;
pub mod send;
pub mod trace;
pub mod turn;
pub(crate) mod watching;
mod worker;

pub use end::End;
pub use get::Get;
pub use list::List;
pub use open::Open;
pub use pipeline::Pipeline;
pub use restart::Restart;
