//! Commands on runs.

pub mod cancel;
pub mod logs;
pub mod show;
pub mod start;
pub mod tail;
