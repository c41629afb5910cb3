//! What became of each due minute.

pub mod list;
pub mod why;

pub use list::List;
pub use why::Why;
