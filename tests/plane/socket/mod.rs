//! A file per operation on a socket, and what holds of several.

mod close;
mod notify;
mod open;
mod receive;
