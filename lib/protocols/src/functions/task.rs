//! Tasks.

use super::Function;
use crate::rest;
use crate::rest::Body;
use crate::rights::Partition::*;
use crate::rights::Right::{self, *};
use crate::rocketride::routes;
use crate::route::{Handler, Route};
use tidemill_operations::task;

/// An end of a task, which also settles what is due for it.
const END: &[Right] = &[
    Get(&[Keys, Owners, Projects, Watchers]),
    Put(&[Keys, Owners, Projects]),
    Update(&[Keys, Owners, Projects, Watchers]),
    RingRuns,
    RingSockets,
];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::of::<task::Open>(Route::post("/v1/tasks").success(201))
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            Put(&[Keys, Owners, Projects]),
            PutMany(&[Projects]),
            Update(&[Keys, Owners, Projects, Watchers]),
            RingRuns,
            RingSockets,
            Seal,
        ])
        .memory(512)
        .also_at(&routes::OPEN),
    Function::of::<task::List>(Route::get("/v1/tasks")).may(&[
        Get(&[Keys, Projects, Watchers]),
        List(&[Owners]),
        Put(&[Keys, Owners, Projects]),
        Update(&[Keys, Owners, Projects, Watchers]),
        RingRuns,
        RingSockets,
    ]),
    Function::of::<task::Get>(Route::get("/v1/tasks/{token}"))
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            Put(&[Keys, Owners, Projects]),
            Update(&[Keys, Owners, Projects, Watchers]),
            FindRuns,
            RingRuns,
            RingSockets,
        ])
        .also_at(&routes::GET),
    Function::of::<task::End>(Route::delete("/v1/tasks/{token}")).may(END).also_at(&routes::END),
    Function::of::<task::Pipeline>(Route::get("/v1/tasks/{token}/pipeline")).may(&[
        Get(&[Keys, Owners, Projects, Watchers]),
        List(&[Projects]),
        Put(&[Keys, Owners, Projects]),
        Update(&[Keys, Owners, Projects, Watchers]),
        FindRuns,
        RingRuns,
        RingSockets,
    ]),
    Function::of::<task::Restart>(Route::post("/v1/tasks/{token}/restart"))
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            Put(&[Keys, Owners, Projects]),
            PutMany(&[Projects]),
            Update(&[Keys, Owners, Projects, Watchers]),
            RingRuns,
            RingSockets,
        ])
        .memory(512),
    Function::at(
        "task_send",
        Route::post("/v1/tasks/{token}/objects").body(Body::Any),
        Handler::Arriving(rest::task_send),
    )
    .may(&[
        Get(&[Keys, Owners, Projects, Watchers]),
        List(&[Projects]),
        GetMany(&[Projects]),
        Put(&[Keys, Owners, Projects]),
        Update(&[Keys, Owners, Projects, Watchers]),
        RingSockets,
        Open,
    ])
    .memory(1024)
    .reserve("ReservedForTasks")
    .also_at(&routes::SEND),
];
