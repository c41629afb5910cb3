//! Pipeline to plan: check, resolve lane types, order, prune. Pure: no I/O, no clock, no async.
//!
//! Start at [`compile`]; [`provider`] is what it checks against, [`plan`] is what it makes.

pub mod plan;
pub mod provider;

pub use plan::{Edge, Node, Plan};
pub use provider::{Catalogue, Class, Provider};
