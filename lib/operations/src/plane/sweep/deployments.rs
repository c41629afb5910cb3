//! The sweep of an owner's deployments: timers, due ticks and open runs.

use crate::error::Error;
use crate::plane::Plane;
use crate::plane::sweep::{Extent, SweepReport, Timers, look, repair};
use crate::run::open::OpenRuns;
use futures::stream::{self, StreamExt};
use std::collections::HashMap;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::OwnerId;
use tidemill_model::sweep::{Finding, Patience, of_deployment};
use tidemill_store::PAGE_LIMIT;

/// Deployments of an owner that are looked at side by side.
const AT_ONCE: usize = 32;

/// Looks at an owner's deployments; whether each was read.
pub(super) async fn sweep(
    plane: &Plane,
    owner: &OwnerId,
    patience: Patience,
    timers: &Timers,
    report: &mut SweepReport,
) -> Result<Extent, Error> {
    let mut extent = Extent::Whole;
    let mut cursor = None;
    loop {
        let page = plane.store.each_deployment(owner, cursor.as_ref(), PAGE_LIMIT * 10).await?;
        let mut read = Vec::with_capacity(page.items.len());
        for deployment in page.items {
            match deployment {
                Ok(deployment) => read.push(deployment),
                Err(error) => {
                    extent = Extent::Partial;
                    report.missed(owner, "the record of a deployment", &error);
                }
            }
        }
        let look = |deployment| {
            let mut timers = timers.lock().expect("no code panics while holding it");
            one(plane, deployment, has_its_timers(plane, deployment, &mut timers), patience)
        };
        let looks: Vec<_> = read.iter().map(look).collect();
        let mut looks = stream::iter(looks).buffer_unordered(AT_ONCE);
        while let Some(found) = looks.next().await {
            report.add(&found);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(extent);
        }
    }
}

/// Whether a deployment's timers are among `timers` and as its record says. They are taken out, so that in the end
/// those are left that no deployment asks for.
pub(crate) fn has_its_timers(plane: &Plane, deployment: &Deployment, timers: &mut HashMap<String, bool>) -> bool {
    let mut wanted = plane.timers.expected(deployment);
    wanted.retain(|timer| timers.remove(&timer.name) != Some(timer.rings));
    wanted.is_empty()
}

/// Looks at a deployment, and reports what was found also where the look failed.
async fn one(plane: &Plane, deployment: &Deployment, has_its_timers: bool, patience: Patience) -> SweepReport {
    let mut report = SweepReport { deployments: 1, ..SweepReport::default() };
    if let Err(error) = repair_one(plane, deployment, has_its_timers, patience, &mut report).await {
        report.failed += 1;
        let Deployment { owner, id, .. } = deployment;
        tracing::error!(owner.id = %owner, project.id = %id, error = error.with_causes(), "could not look at a deployment");
    }
    report
}

async fn repair_one(
    plane: &Plane,
    deployment: &Deployment,
    has_its_timers: bool,
    patience: Patience,
    report: &mut SweepReport,
) -> Result<(), Error> {
    let look = look(plane, patience);
    if let Some(until) = deployment.is_ahead_of(look.now) {
        report.ahead_of_clock += 1;
        let id = &deployment.id;
        tracing::warn!(
            project.id = %id,
            "no minute of project `{id}` before {until} starts a run: the clock was ahead; run `tidemill doctor --fix`"
        );
    }
    for finding in of_deployment(&look, &plane.calendar, deployment, has_its_timers) {
        repair::deployment(plane, deployment, finding).await;
        match finding {
            Finding::TimersDiffer => report.timers_set += 1,
            _ => report.ticks_rung += 1,
        }
    }
    let runs = OpenRuns::of(plane, deployment, look.now).await?;
    report.oldest_run = runs.oldest(&look).as_secs().try_into().unwrap_or(0);
    for (run, finding) in runs.findings(look) {
        repair::run(plane, run, finding).await;
        report.runs_rung += 1;
    }
    runs.note(plane, deployment, look.now).await
}
