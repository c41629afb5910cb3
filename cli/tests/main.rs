//! The command as scripts see it: what it prints where, and its exit codes. Only `plane`, `deploy`, `tail` and those of rollouts and runs need a plane.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "it watches real processes")]

mod command;
mod completion;
mod connection;
mod deploy;
#[cfg(target_os = "linux")]
mod engine;
mod environments;
mod formats;
mod given;
mod given_door;
mod given_rollouts;
mod given_runs;
mod given_terminal;
mod help;
mod ids;
mod init;
mod json;
mod pipelines_page;
mod plane;
mod preview;
mod providers;
mod prune;
mod refusals;
mod rollout_follow;
mod rollout_turns;
mod run_follow;
mod schedule;
mod schema;
mod server;
mod settings;
mod tables;
mod tail;
mod times;
mod trial;
mod validate;
mod watch;
