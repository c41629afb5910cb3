//! A file per operation on a task, and what holds of several.

mod credentials;
mod end;
mod get;
mod list;
mod open;
mod pipeline;
mod restart;
mod send;
