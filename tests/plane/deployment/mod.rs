//! A file per operation on a deployment, and what holds of several.

mod add;
mod get;
mod list;
mod pause;
mod remove;
mod resume;
mod tick;
mod update;
