//! The caller.

use super::{Function, OWNER};
use crate::route::Route;
use tidemill_operations::caller_get::CallerGet;

pub(super) static FUNCTIONS: &[Function] = &[Function::of::<CallerGet>(Route::get("/v1/me")).may(OWNER)];
