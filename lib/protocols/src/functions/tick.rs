//! Due minutes and what became of them.

use super::{Function, PAGE};
use crate::rest::Query;
use crate::rights::Partition::*;
use crate::rights::Right::{self, *};
use crate::route::Route;
use tidemill_operations::tick;

/// A look at what became of due minutes.
const LOOK: &[Right] = &[Get(&[Keys, Owners]), List(&[Projects]), Put(&[Keys, Owners])];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::of::<tick::List>(Route::get("/v1/deployments/{project}/ticks").query(&[
        Query::text("since"),
        Query::text("until"),
        PAGE[0],
        PAGE[1],
    ]))
    .may(LOOK),
    Function::of::<tick::Why>(Route::get("/v1/deployments/{project}/why").query(&[Query::text("time")])).may(LOOK),
];
