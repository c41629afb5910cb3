//! The command as scripts see it: what it prints where, and its exit codes. Only `plane` needs a plane.

mod command;
mod connection;
mod help;
mod plane;
mod providers;
mod schedule;
mod validate;
