//! Commands on deployments.

pub mod deploy;
pub mod list;
pub mod pause;
pub mod remove;
pub mod resume;
pub mod status;
pub mod update;
