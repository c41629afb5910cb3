//! Callers and what they may do.

pub mod authenticate;
pub mod caller;
