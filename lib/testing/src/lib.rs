//! The test world: a whole plane in memory, a clock to advance, bells that are answered by hand, a table that can be
//! made to fail at any call. Tests act on it as users do, over HTTP or as RocketRide's clients, and assert what users see.

mod clock;
mod dap;
mod events;
mod faults;
mod sockets;
mod user;
mod world;

pub use clock::TestWorld;
pub use dap::{Dap, Reply};
pub use events::{Event, Events};
pub use faults::{Death, Faults, Hold, Metered};
pub use sockets::{ApiGateway, Visitor};
pub use user::{Answer, User};
pub use world::{World, minutes, pipeline, seconds};
