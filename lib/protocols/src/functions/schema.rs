//! The schemas of what people write.

use super::Function;
use crate::rest::{self, Query};
use crate::route::{Handler, Route};
use tidemill_operations::schema_get;

pub(super) static FUNCTIONS: &[Function] = &[Function::at(
    schema_get::NAME,
    Route::get("/v1/schema").query(&[Query::text("of")]),
    Handler::Arriving(rest::schema_get),
)];
