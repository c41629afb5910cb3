//! The HTTP API as this command uses it: the client and its connection, lists page by page, streams of events, what is asked
//! again, and the answers as far as people see them.

pub mod beginning;
pub mod client;
pub mod connection;
pub mod events;
pub mod pages;
pub mod retry;
pub mod suggestion;
pub mod views;
