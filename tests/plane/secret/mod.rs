//! A file per operation on a secret, and what holds of several.

mod list;
mod remove;
mod set;
mod shown;
