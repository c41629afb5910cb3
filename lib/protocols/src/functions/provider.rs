//! The catalogue of providers.

use super::{Function, KEY};
use crate::checkly;
use crate::rocketride::routes;
use crate::route::Route;
use tidemill_operations::provider_list::ProviderList;

pub(super) static FUNCTIONS: &[Function] = &[Function::of::<ProviderList>(Route::get("/v1/providers"))
    .may(KEY)
    .also_at(&routes::SERVICES)
    .also_at(&checkly::routes::RUNTIMES)];
