//! Values that pipelines name and never show.

pub mod list;
pub mod remove;
pub mod set;
pub(crate) mod unset;

pub use list::List;
pub use remove::Remove;
pub use set::Set;
