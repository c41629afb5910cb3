//! Who calls, and what the caller may do.

pub mod authenticate;
pub mod caller;
