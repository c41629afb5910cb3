//! A file per operation on a version, and what holds of several.

mod add;
mod get;
mod list;
