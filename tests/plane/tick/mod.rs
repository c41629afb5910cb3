//! A file per operation on a tick, and what holds of several.

mod catch_up;
mod here;
mod list;
mod why;
