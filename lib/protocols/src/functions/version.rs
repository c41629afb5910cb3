//! A project's versions.

use super::{Function, PAGE};
use crate::rest::Query;
use crate::rights::Partition::*;
use crate::rights::Right::*;
use crate::route::Route;
use tidemill_operations::version;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::of::<version::List>(Route::get("/v1/deployments/{project}/versions").query(&PAGE)).may(&[
        Get(&[Keys]),
        List(&[Projects]),
        Put(&[Keys, Owners]),
    ]),
    Function::of::<version::Get>(
        Route::get("/v1/deployments/{project}/versions/{version}").path_types(&[Query::number("version")]),
    )
    .may(&[Get(&[Keys, Projects]), List(&[Projects]), Put(&[Keys, Owners])]),
    Function::once::<version::Add, _>(Route::post("/v1/deployments/{project}/versions").success(201))
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            List(&[Owners]),
            Put(&[Keys, Owners, Hooks, Projects]),
            PutMany(&[Projects]),
            Update(&[Watchers]),
            FollowTimers,
            RingRuns,
            RingSockets,
        ])
        .memory(512),
];
