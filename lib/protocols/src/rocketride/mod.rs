//! RocketRide's HTTP routes, for its users' clients and scripts.
//!
//! [`tasks`] opens, shows and ends a task, [`data`] sends objects to one, [`catalogue`] and [`server`] need no task.
//! [`envelope`] is the one form of all answers, refusals included, and [`routes`] lists the routes.

mod catalogue;
mod data;
mod envelope;
mod parameters;
pub mod routes;
mod server;
mod tasks;
