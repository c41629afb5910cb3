//! Deployments: what keeps a project live.

use super::{Function, On, PAGE, QueueKind};
use crate::rest::{Body, Query};
use crate::rights::Partition::*;
use crate::rights::Right::*;
use crate::route::Route;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tidemill_operations::bell::BellOutcome;
use tidemill_operations::{Bell, Error, Plane, deployment};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::once::<deployment::Add, _>(Route::post("/v1/deployments").success(201))
        .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners, Hooks, Projects]), PutMany(&[Projects]), FollowTimers])
        .memory(512),
    Function::of::<deployment::List>(Route::get("/v1/deployments").query(&[
        Query::text("name"),
        Query::text("state"),
        Query::text("group"),
        Query::flag("failing"),
        PAGE[0],
        PAGE[1],
    ]))
    .may(&[Get(&[Keys]), List(&[Owners]), GetMany(&[Projects]), Put(&[Keys, Owners])]),
    Function::of::<deployment::Get>(Route::get("/v1/deployments/{project}")).may(&[
        Get(&[Keys, Owners, Projects]),
        List(&[Projects]),
        Put(&[Keys, Owners]),
    ]),
    Function::once::<deployment::Update, _>(Route::patch("/v1/deployments/{project}"))
        .may(&[
            Get(&[Keys, Owners, Projects]),
            List(&[Projects]),
            Put(&[Keys, Owners, Projects]),
            PutMany(&[Projects]),
            FollowTimers,
            RingRuns,
        ])
        .memory(512),
    Function::of::<deployment::Remove>(Route::delete("/v1/deployments/{project}")).may(&[
        Get(&[Keys, Owners, Projects, Watchers]),
        List(&[Projects]),
        Put(&[Keys, Owners, Projects]),
        Update(&[Watchers]),
        DeleteTimers,
        RingRuns,
        RingSockets,
    ]),
    Function::of::<deployment::Pause>(Route::post("/v1/deployments/{project}/pause")).may(&[
        Get(&[Keys, Owners, Projects]),
        List(&[Projects]),
        Put(&[Keys, Owners, Projects]),
        FollowTimers,
    ]),
    Function::of::<deployment::Resume>(Route::post("/v1/deployments/{project}/resume").body(Body::None)).may(&[
        Get(&[Keys, Owners, Projects]),
        List(&[Projects]),
        Put(&[Keys, Owners, Projects]),
        FollowTimers,
        RingRuns,
    ]),
    Function::on("deployment_tick", On::Bell(QueueKind::Ticks, tick))
        .summary("Handles the due ticks of a deployment, at a bell")
        .may(&[
            Get(&[Owners, Projects, Watchers]),
            List(&[Projects]),
            GetMany(&[Projects]),
            Put(&[Owners, Projects]),
            PutMany(&[Projects]),
            Update(&[Watchers]),
            FollowTimers,
            RingRuns,
            RingSockets,
            Open,
        ])
        .memory(512),
];

fn tick(plane: &Plane, bell: Bell, rang_for: Option<Timestamp>) -> BoxFuture<'_, Result<BellOutcome, Error>> {
    Box::pin(async move {
        if let Bell::Tick { owner, deployment: id } = &bell {
            deployment::tick::run(plane, owner, id, rang_for).await?;
        }
        Ok(BellOutcome::Done)
    })
}
