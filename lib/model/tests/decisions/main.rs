//! Properties of the decisions about ticks, runs, tasks and rollouts, and of what a sweep finds: they hold of every record
//! and every instant that can be made up here.

mod given;
mod rollout;
mod run;
mod sweep;
mod task;
mod tick;
