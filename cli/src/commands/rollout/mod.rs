//! Commands on rollouts.

pub mod list;
pub mod show;
