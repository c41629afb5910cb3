//! A file per operation on a version, and what holds of several.

mod get;
mod list;
