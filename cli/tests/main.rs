//! The command as scripts see it, as far as it needs no plane: what it prints where, and its exit codes.

mod command;
mod connection;
mod help;
mod providers;
mod schedule;
mod validate;
