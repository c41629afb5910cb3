//! A file per operation on a socket, and what holds of several.

mod close;
mod open;
mod receive;
mod tell;
