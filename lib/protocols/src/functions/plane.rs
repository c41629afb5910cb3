//! The plane itself.

use super::{Function, OWNER, On};
use crate::checkly;
use crate::rest::{self, Body, Query};
use crate::rights::Partition::*;
use crate::rights::Right::*;
use crate::rocketride::routes;
use crate::route::{Handler, Route};
use futures::future::BoxFuture;
use tidemill_operations::{Error, Plane, plane};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::of::<plane::Doctor>(Route::post("/v1/doctor").query(&[Query::flag("fix")]).body(Body::None))
        .may(&[
            Get(&[Keys, Owners, Projects]),
            List(&[Owners, Projects]),
            Put(&[Keys, Owners, Projects]),
            Update(&[Owners]),
            Delete(&[Owners, Projects]),
            FollowTimers,
            RingRuns,
            RingTicks,
            RingRollouts,
        ])
        .memory(512),
    Function::at("plane_health", Route::get("/v1/health"), Handler::Arriving(rest::plane_health))
        .memory(128)
        .also_at(&routes::HEALTH),
    Function::of::<plane::Status>(Route::get("/v1/status"))
        .may(OWNER)
        .also_at(&routes::STATUS)
        .also_at(&checkly::routes::ACCOUNT),
    Function::on("plane_sweep", On::Minute(sweep))
        .summary("Finds work that no worker holds, every minute")
        .may(&[
            Get(&[Owners, Projects, Watchers, Layout]),
            List(&[Owners, Projects, Rollouts, OwnerList, Strangers]),
            GetMany(&[Owners]),
            FindRuns,
            Put(&[Keys, Owners, Projects, Rollouts, Layout]),
            Update(&[Keys, Owners, Projects, Watchers]),
            FollowTimers,
            RingRuns,
            RingTicks,
            RingRollouts,
            RingSockets,
        ])
        .memory(512),
];

fn sweep(plane: &Plane) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(plane::sweep::each_minute(plane))
}
