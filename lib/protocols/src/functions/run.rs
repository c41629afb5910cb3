//! Runs.

use super::{Function, On, PAGE, QueueKind};
use crate::rest::{Body, Query};
use crate::rights::Partition::*;
use crate::rights::Right::{self, *};
use crate::route::Route;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tidemill_operations::bell::BellOutcome;
use tidemill_operations::{Bell, Error, Plane, run};

/// A look at a run, also where only its id is known.
const LOOK: &[Right] = &[Get(&[Keys, Projects]), List(&[Projects]), Put(&[Keys, Owners]), FindRuns];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::once::<run::Start, _>(Route::post("/v1/deployments/{project}/runs").success(202))
        .may(&[Get(&[Keys, Owners, Projects]), Put(&[Keys, Owners, Projects]), PutMany(&[Projects]), RingRuns])
        .memory(512),
    Function::of::<run::List>(Route::get("/v1/runs").query(&[
        Query::text("project"),
        Query::text("state"),
        Query::text("trigger"),
        Query::number("version"),
        Query::text("since"),
        Query::text("until"),
        PAGE[0],
        PAGE[1],
    ]))
    .may(&[
        Get(&[Keys, Owners]),
        List(&[Owners, Projects]),
        GetMany(&[Projects]),
        Put(&[Keys, Owners]),
        FindRuns,
    ]),
    Function::of::<run::Get>(Route::get("/v1/runs/{run}").query(&[Query::text("project")])).may(LOOK),
    Function::of::<run::Logs>(
        Route::get("/v1/runs/{run}/logs").query(&[Query::text("project"), Query::number("from")]),
    )
    .may(LOOK),
    Function::of::<run::Cancel>(Route::post("/v1/runs/{run}/cancel").query(&[Query::text("project")]).body(Body::None))
        .may(&[
            Get(&[Keys, Owners, Projects, Watchers]),
            Put(&[Keys, Owners, Projects]),
            Update(&[Keys, Owners, Projects, Watchers]),
            FindRuns,
            RingRuns,
            RingSockets,
        ]),
    Function::on("run_execute", On::Bell(QueueKind::Runs, execute))
        .summary("Executes a run, at a bell")
        .may(&[
            Get(&[Owners, Projects, Watchers]),
            List(&[Projects]),
            GetMany(&[Projects]),
            Put(&[Owners, Projects]),
            PutMany(&[Projects]),
            Update(&[Watchers]),
            RingSockets,
            Open,
        ])
        .memory(1024),
];

fn execute(plane: &Plane, bell: Bell, _: Option<Timestamp>) -> BoxFuture<'_, Result<BellOutcome, Error>> {
    Box::pin(async move {
        match &bell {
            Bell::Run { owner, deployment, run } => run::execute::run(plane, owner, deployment, run).await,
            _ => Ok(BellOutcome::Done),
        }
    })
}
