//! A file per operation on a key, and what holds of several.

mod create;
mod issue;
mod list;
mod revoke;
