//! Webhooks.

use super::Function;
use crate::rest::{self, Body, Query};
use crate::rights::Partition::*;
use crate::rights::Right::*;
use crate::route::{Handler, Route};

pub(super) static FUNCTIONS: &[Function] = &[Function::at(
    "hook_receive",
    Route::post("/hooks/{hook}").query(&[Query::number("wait"), Query::text("status")]).body(Body::Any).success(202),
    Handler::Arriving(rest::hook_receive),
)
.may(&[Get(&[Owners, Hooks, Projects]), List(&[Projects]), Put(&[Owners, Projects]), PutMany(&[Projects]), RingRuns])
.memory(512)
.reserve("ReservedForHooks")];
