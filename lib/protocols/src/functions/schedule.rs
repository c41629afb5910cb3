//! Schedules.

use super::{Function, KEY};
use crate::rest::Query;
use crate::route::Route;
use tidemill_operations::schedule_preview::SchedulePreview;

pub(super) static FUNCTIONS: &[Function] = &[Function::of::<SchedulePreview>(Route::get("/v1/schedule").query(&[
    Query::text("schedule"),
    Query::text("timezone"),
    Query::number("count"),
]))
.may(KEY)];
