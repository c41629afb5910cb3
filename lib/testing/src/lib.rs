//! The plane of the tests: all of it in memory, with a clock to advance, bells to answer by hand and a table that can be
//! made to fail at any call. Tests act on it as users do, over HTTP or as RocketRide's clients, and assert what users see.

mod ambient;
mod api_gateway;
mod dap;
mod description;
mod events;
mod faults;
mod plane;
pub mod readers;
pub mod simulation;
mod user;

pub use ambient::TestAmbient;
pub use api_gateway::{ApiGateway, Visitor};
pub use aws_sdk_dynamodb::types::AttributeValue;
pub use dap::{Dap, Reply};
pub use description::{Description, Success};
pub use events::{Event, Events};
pub use faults::{Death, Faults, Hold, Metered};
pub use plane::{TestPlane, minutes, pipeline, seconds};
pub use user::{Answer, User};
