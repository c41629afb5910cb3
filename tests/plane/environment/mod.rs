//! A file per operation on a environment, and what holds of several.

mod deploy;
mod run;
mod slots;
