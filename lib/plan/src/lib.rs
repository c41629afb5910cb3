//! Pipeline to plan: check, resolve lane types, order, prune. Pure: no I/O, no clock, no async.
//!
//! Start at [`compile()`]; [`provider`] is what it checks against, [`plan`] is what it makes. The steps in their order:
//! `wiring` (ids, providers, edges), `cycles`, `lanes` (what can arrive where), `config`, `texts`, `source`, `order` (prune and
//! sort), `advice` (what is allowed but probably not meant).
//! [`difference`] compares two pipelines; [`schemas`] are for editors.

#![warn(missing_docs)]

mod advice;
pub mod compile;
mod config;
mod cycles;
pub mod difference;
mod lanes;
mod order;
pub mod plan;
pub mod provider;
mod report;
mod schema;
pub mod schemas;
mod source;
pub mod texts;
mod uniqueness;
mod violation;
mod wiring;

pub use compile::{CompiledPipeline, Private, Start, Target, compile, compile_text};
pub use difference::Difference;
pub use plan::{Edge, Node, Plan};
pub use provider::{Catalogue, Class, Provider, TextCheck};
pub use texts::{TextKind, TextProblem};
