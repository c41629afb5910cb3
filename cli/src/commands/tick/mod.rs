//! Commands on ticks.

pub mod ticks;
pub mod why;
