//! Checkly's API, as its clients use it.

mod conflict;
mod deploy;
