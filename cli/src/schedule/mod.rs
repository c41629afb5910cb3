//! Schedules without a plane: read from text, or line by line.

pub mod lines;
pub mod text;
