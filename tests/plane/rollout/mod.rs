//! A file per operation on a rollout, and what holds of several.

mod cancel;
mod execute;
mod follow;
mod get;
mod list;
mod preview;
mod rivals;
mod start;
mod wait;
