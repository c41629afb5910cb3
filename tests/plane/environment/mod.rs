//! A file per operation on an environment, and what holds of several.

mod deploy;
mod disable;
mod enable;
mod get;
mod history;
mod list;
mod promote;
mod remove;
mod rollback;
mod run;
mod slots;
mod source;
