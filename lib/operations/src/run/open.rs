//! The open runs of a deployment: the current one and those that wait for their turn. Finds the ones no worker holds, for
//! the sweep and the doctor to ring for.

use crate::error::Error;
use crate::plane::Plane;
use crate::run::turn::{bell, latest};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tidemill_model::deployment::{self, Deployment};
use tidemill_model::ids::RunId;
use tidemill_model::run::{Run, State};
use tidemill_model::sweep::{Finding, Look, of_runs, oldest};
use tidemill_store::{PAGE_LIMIT, Part, Period};

/// How long after its end the current run is no longer looked at: its successor's bell counts as lost by then.
const SETTLED: SignedDuration = SignedDuration::from_mins(10);
/// How far the clocks of two functions may be apart. A run that comes in later is not named as older than this.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);
/// How often the mark is written anew because the deployment was changed.
const TRIES: usize = 5;

pub(crate) struct OpenRuns {
    /// Those that have not ended, oldest first.
    pub open: Vec<Run>,
    /// No run before this one waits, nor will one that comes in; `None` where that is not known of any.
    mark: Option<RunId>,
    /// The run that last held the right to run, ended or not.
    current: Option<Run>,
    /// Those that have not begun wait until the deployment is resumed.
    are_held: bool,
}

impl OpenRuns {
    pub async fn of(plane: &Plane, deployment: &Deployment, now: Timestamp) -> Result<OpenRuns, Error> {
        let mut runs = match &deployment.waiting {
            Some(oldest) => OpenRuns::since(plane, deployment, oldest, now).await?,
            None => OpenRuns { open: Vec::new(), mark: None, current: None, are_held: false },
        };
        runs.are_held = deployment.state.holds_runs();
        let is_settled = |run: &&RunId| deployment.settled.as_ref() == Some(run);
        let Some(id) = deployment.current.as_ref().filter(|run| !is_settled(run)) else { return Ok(runs) };
        runs.current = runs.open.iter().find(|run| run.id == *id).cloned();
        if runs.current.is_none() {
            runs.current = latest(plane, deployment).await?;
            // A task that waits for objects is seen to by itself.
            let current = runs.current.clone().filter(|run| !run.state.is_final() && !run.is_open_task());
            runs.open.splice(0..0, current);
        }
        Ok(runs)
    }

    /// Those that wait, and the current one if it is among them.
    async fn since(plane: &Plane, deployment: &Deployment, oldest: &RunId, now: Timestamp) -> Result<OpenRuns, Error> {
        let (owner, project) = (&deployment.owner, &deployment.id);
        let period = Period { since: Some(oldest.made_at()), until: None };
        let mut runs = OpenRuns { open: Vec::new(), mark: None, current: None, are_held: false };
        let mut cursor = None;
        loop {
            let page = plane.store.runs(owner, project, &period, cursor.as_ref(), PAGE_LIMIT * 10).await?;
            for run in page.items {
                // Tasks take no turns; they are seen to by themselves.
                let waits = !run.state.is_final() && run.task.is_none();
                if run.id.made_at() + CLOCKS <= now && (waits || runs.mark.is_none()) {
                    runs.mark = Some(run.id.clone());
                }
                runs.open.extend(waits.then_some(run));
            }
            cursor = page.next;
            if cursor.is_none() {
                // Those that wait are served in the order in which they came.
                runs.open.reverse();
                return Ok(runs);
            }
        }
    }

    /// Notes from which run on later sweeps have to look for those that wait, and which run none has to look at.
    pub async fn note(&self, plane: &Plane, deployment: &Deployment, now: Timestamp) -> Result<(), Error> {
        if deployment.waiting.is_none() {
            return self.note_settled(plane, deployment, now).await;
        }
        // A run that came in after the look has moved the deployment on.
        if self.open.is_empty() && noted(plane, deployment, None).await? {
            return Ok(());
        }
        if self.mark.is_none() || self.mark <= deployment.waiting {
            return Ok(());
        }
        for _ in 0..TRIES {
            let found = plane.store.deployment(&deployment.owner, &deployment.id).await?;
            let Some(found) = found.filter(|found| found.waiting == deployment.waiting) else { return Ok(()) };
            if noted(plane, &found, self.mark.clone()).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Notes that the current run ended a while ago, unless the deployment was changed.
    async fn note_settled(&self, plane: &Plane, deployment: &Deployment, now: Timestamp) -> Result<(), Error> {
        let ended_long_ago = |run: &Run| run.ended_at.is_some_and(|at| at + SETTLED <= now);
        // One that is not there has expired.
        let is_over = self.current.as_ref().is_none_or(ended_long_ago);
        if deployment.current == deployment.settled || !is_over {
            return Ok(());
        }
        let (settled, revision) = (deployment.current.clone(), deployment.revision + 1);
        let after = Deployment { settled, revision, carried: None, ..deployment.clone() };
        write(plane, deployment, after).await.map(drop)
    }

    /// Those that no worker holds or will, and why.
    pub fn findings<'a>(&'a self, look: Look<'a>) -> impl Iterator<Item = (&'a Run, Finding)> {
        let found = of_runs(look, &self.open, self.current.as_ref());
        found.filter(|(run, _)| !self.are_held || run.state != State::Queued)
    }

    /// Those that have not begun, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = &Run> {
        self.open.iter().filter(|run| run.state == State::Queued)
    }

    /// How long the oldest one that is not held has been there.
    pub fn oldest(&self, look: &Look<'_>) -> SignedDuration {
        oldest(look, self.open.iter().filter(|run| !self.are_held || run.state != State::Queued))
    }
}

/// Rings for the runs that waited for their deployment to be resumed, once it was. The sweep rings for those that this
/// fails for.
pub(crate) async fn ring_released(plane: &Plane, before: &Deployment, after: &Deployment) {
    if !before.state.holds_runs() || after.state != deployment::State::Active {
        return;
    }
    match OpenRuns::of(plane, after, plane.now()).await {
        Ok(runs) => {
            for run in runs.waiting() {
                plane.ring(bell(run), Duration::ZERO).await;
            }
        }
        Err(error) => {
            let project = &after.id;
            tracing::warn!(project.id = %project, error = error.with_causes(), "the runs that waited are left to the sweep");
        }
    }
}

/// Writes the mark unless the deployment has changed.
async fn noted(plane: &Plane, before: &Deployment, waiting: Option<RunId>) -> Result<bool, Error> {
    write(plane, before, Deployment { waiting, revision: before.revision + 1, ..before.clone() }).await
}

/// Writes what a look found of a deployment unless that has changed.
async fn write(plane: &Plane, before: &Deployment, after: Deployment) -> Result<bool, Error> {
    match plane.store.transaction().deployment(&after, before.revision)?.commit().await {
        Ok(()) => Ok(true),
        Err(error) if error.rejects(Part::Deployment) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
