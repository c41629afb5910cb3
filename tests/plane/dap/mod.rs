//! RocketRide's protocol, over a WebSocket.

mod deploy;
mod environments;
mod events;
mod frames;
mod monitors;
mod objects;
mod session;
mod table;
mod tasks;
