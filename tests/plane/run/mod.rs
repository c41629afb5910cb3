//! A file per operation on a run, and what holds of several.

mod cancel;
mod computing;
mod engine_death;
mod execute;
mod get;
mod held;
mod large;
mod list;
mod live;
mod logs;
mod outside_calls;
mod start;
mod takeover;
mod time_limit;
