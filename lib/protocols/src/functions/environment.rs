//! Environments of projects.

use super::{Function, PAGE};
use crate::rest::{Body, Query};
use crate::rights::Partition::*;
use crate::rights::Right::{self, *};
use crate::route::Route;
use tidemill_operations::environment;

/// A change of an environment, with the plans of its sources and their timers.
const CHANGE: &[Right] = &[
    Get(&[Keys, Owners, Projects, Watchers]),
    List(&[Owners, Projects]),
    Put(&[Keys, Owners, Projects]),
    PutMany(&[Projects]),
    Update(&[Watchers]),
    FollowTimers,
    RingRuns,
    RingSockets,
];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::of::<environment::List>(Route::get("/v1/environments").query(&[
        Query::text("environment"),
        Query::text("project"),
        PAGE[0],
        PAGE[1],
    ]))
    .may(&[Get(&[Keys, Projects]), List(&[Owners]), Put(&[Keys, Owners])]),
    Function::of::<environment::Get>(Route::get("/v1/environments/{environment}/projects/{project}")).may(&[
        Get(&[Keys, Owners, Projects]),
        List(&[Owners]),
        Put(&[Keys, Owners]),
    ]),
    Function::once::<environment::Deploy, _>(Route::put("/v1/environments/{environment}/projects/{project}"))
        .may(CHANGE)
        .memory(512),
    Function::of::<environment::Remove>(Route::delete("/v1/environments/{environment}/projects/{project}")).may(&[
        Get(&[Keys, Owners, Projects, Watchers]),
        List(&[Owners, Projects]),
        Put(&[Keys, Owners, Projects]),
        Update(&[Watchers]),
        DeleteTimers,
        RingSockets,
    ]),
    Function::once::<environment::Promote, _>(Route::post("/v1/environments/{environment}/projects/{project}/promote"))
        .may(CHANGE)
        .memory(512),
    Function::once::<environment::Rollback, _>(Route::post(
        "/v1/environments/{environment}/projects/{project}/rollback",
    ))
    .may(CHANGE)
    .memory(512),
    Function::of::<environment::Run>(Route::post("/v1/environments/{environment}/projects/{project}/run").success(201))
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            List(&[Projects]),
            Put(&[Keys, Owners, Projects]),
            PutMany(&[Projects]),
            Update(&[Keys, Owners, Projects, Watchers]),
            Check(&[Keys, Owners, Projects]),
            RingRuns,
            RingSockets,
        ])
        .memory(512),
    Function::of::<environment::Enable>(
        Route::post("/v1/environments/{environment}/projects/{project}/enable").body(Body::None),
    )
    .may(CHANGE)
    .memory(512),
    Function::of::<environment::Disable>(
        Route::post("/v1/environments/{environment}/projects/{project}/disable").body(Body::None),
    )
    .may(&[
        Get(&[Keys, Owners, Projects, Watchers]),
        List(&[Owners, Projects]),
        Put(&[Keys, Owners, Projects]),
        PutMany(&[Projects]),
        Update(&[Watchers]),
        FollowTimers,
        RingSockets,
    ])
    .memory(512),
    Function::of::<environment::Source>(Route::patch(
        "/v1/environments/{environment}/projects/{project}/sources/{source}",
    ))
    .may(CHANGE)
    .memory(512),
    Function::of::<environment::History>(
        Route::get("/v1/environments/{environment}/projects/{project}/history").query(&PAGE),
    )
    .may(&[Get(&[Keys]), List(&[Projects]), Put(&[Keys, Owners])]),
];
