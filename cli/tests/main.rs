//! The command as scripts see it: what it prints where, and its exit codes. Only `plane`, `deploy` and those of rollouts need a plane.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "it watches real processes")]

mod command;
mod connection;
mod deploy;
mod environments;
mod formats;
mod given;
mod given_door;
mod given_rollouts;
mod help;
mod init;
mod pipelines_page;
mod plane;
mod preview;
mod providers;
mod prune;
mod refusals;
mod rollout_follow;
mod rollout_turns;
mod schedule;
mod schema;
mod server;
mod settings;
mod trial;
mod validate;
mod watch;
