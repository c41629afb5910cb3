//! A file per operation on a group, and what holds of several.

mod add;
mod get;
mod list;
mod remove;
