//! Pipelines that are rolled out together.

pub mod add;
pub mod get;
pub mod list;
pub mod remove;

pub use add::Add;
pub use get::Get;
pub use list::List;
pub use remove::Remove;
