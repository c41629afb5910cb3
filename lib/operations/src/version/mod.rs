//! The immutable snapshots of a pipeline.

pub mod add;
pub(crate) mod addition;
pub mod get;
pub mod list;

pub use add::Add;
pub use get::Get;
pub use list::List;
