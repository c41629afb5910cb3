//! Rollouts.

use super::{Function, LIST_OF_OWNER, On, PAGE, QueueKind};
use crate::checkly;
use crate::rest::{self, Body, Query};
use crate::rights::Partition::*;
use crate::rights::Right::{self, *};
use crate::route::{Handler, Route};
use futures::future::BoxFuture;
use jiff::Timestamp;
use tidemill_operations::bell::BellOutcome;
use tidemill_operations::{Bell, Error, Plane, rollout};

/// A look at a rollout and its resources.
const LOOK: &[Right] = &[Get(&[Keys, Owners]), List(&[Rollouts]), Put(&[Keys, Owners])];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::once::<rollout::Start, _>(Route::post("/v1/rollouts").success(202))
        .may(&[
            Get(&[Keys, Owners, Projects]),
            List(&[Owners]),
            GetMany(&[Owners]),
            Put(&[Keys, Owners]),
            PutMany(&[Rollouts]),
            RingRollouts,
        ])
        .memory(512)
        .also_at(&checkly::routes::DEPLOY),
    Function::of::<rollout::Preview>(Route::post("/v1/rollouts/preview"))
        .may(&[Get(&[Keys, Owners, Projects]), List(&[Owners, Projects]), GetMany(&[Owners]), Put(&[Keys, Owners])])
        .memory(512),
    Function::of::<rollout::List>(Route::get("/v1/rollouts").query(&[Query::text("group"), PAGE[0], PAGE[1]]))
        .may(LIST_OF_OWNER)
        .also_at(&checkly::routes::DEPLOYMENTS),
    Function::of::<rollout::Get>(Route::get("/v1/rollouts/{rollout}")).may(LOOK).also_at(&checkly::routes::DEPLOYMENT),
    Function::of::<rollout::Cancel>(Route::post("/v1/rollouts/{rollout}/cancel").body(Body::None))
        .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners]), Update(&[Owners]), RingRollouts])
        .also_at(&checkly::routes::CANCEL),
    Function::at(
        "rollout_wait",
        Route::get("/v1/rollouts/{rollout}/completion").query(&[Query::number("wait")]),
        Handler::Arriving(rest::rollout_wait),
    )
    .may(LOOK)
    .reserve("ReservedForWaiters")
    .also_at(&checkly::routes::COMPLETION),
    Function::at(
        "rollout_follow",
        Route::get("/v1/rollouts/{rollout}/events"),
        Handler::Streaming(rest::rollout_follow),
    )
    .may(LOOK)
    .reserve("ReservedForFollowers")
    .also_at(&checkly::routes::EVENTS),
    Function::on("rollout_execute", On::Bell(QueueKind::Rollouts, roll_out))
        .summary("Carries out a rollout, at a bell")
        .may(&[
            Get(&[Owners, Projects]),
            List(&[Owners, Projects, Rollouts]),
            GetMany(&[Owners]),
            Put(&[Owners, Hooks, Projects, Rollouts]),
            PutMany(&[Projects]),
            Update(&[Owners]),
            Delete(&[Owners, Projects, Rollouts]),
            FollowTimers,
            RingRuns,
        ])
        .memory(1024),
];

fn roll_out(plane: &Plane, bell: Bell, _: Option<Timestamp>) -> BoxFuture<'_, Result<BellOutcome, Error>> {
    Box::pin(async move {
        match &bell {
            Bell::Rollout { owner, rollout, .. } => rollout::execute::run(plane, owner, rollout).await,
            _ => Ok(BellOutcome::Done),
        }
    })
}
