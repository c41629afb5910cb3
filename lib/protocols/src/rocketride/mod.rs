//! RocketRide's HTTP routes, for those who have clients or scripts for them: [`tasks`] opens, shows and ends a task,
//! [`data`] sends objects to one, [`catalogue`] and [`server`] need no task. [`envelope`] is the one form of all answers,
//! refusals included, and [`routes`] says what is where.

mod asked;
mod catalogue;
mod data;
mod envelope;
pub mod routes;
mod server;
mod tasks;
