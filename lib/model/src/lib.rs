//! Nouns and rules: ids, names, schedules, pipelines, deployments, runs and their legal moves.
//! No I/O, no clock, no async: time and chance are arguments.

#![warn(missing_docs)]

pub mod audit;
pub mod calendar;
pub mod deployment;
pub mod deployment_id;
pub mod environment;
pub mod git;
pub mod ids;
pub mod invalid;
pub mod key;
pub mod lane;
pub mod lease;
pub mod pipeline;
pub mod retention;
pub mod rollout;
pub mod run;
pub mod schedule;
pub mod sweep;
pub mod task;
pub mod tick;
pub mod unknown;
pub mod version;
pub mod wrong;
