//! The runs of a deployment that have not ended: the current one and those that wait for their turn. Who of them nobody
//! works on is told here; the reaper and the doctor ring for them.

use crate::error::Error;
use crate::plane::Plane;
use crate::run_execute::is_gone;
use jiff::{SignedDuration, Timestamp};
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::RunId;
use tidemill_model::run::{Run, State, Trigger};
use tidemill_store::{Made, PAGE_LIMIT};

/// Runs older than this have ended: no run may take longer with all its attempts.
const OLDEST: SignedDuration = SignedDuration::from_hours(24 * 12);

pub(crate) struct OpenRuns {
    /// Those that have not ended, oldest first.
    pub open: Vec<Run>,
    /// The run that last held the right to run, ended or not.
    current: Option<Run>,
}

impl OpenRuns {
    pub async fn of(plane: &Plane, deployment: &Deployment, now: Timestamp) -> Result<OpenRuns, Error> {
        let recent = |run: &&RunId| now.duration_since(run.made_at()) < OLDEST;
        let mut open = match deployment.waiting.as_ref().filter(recent) {
            Some(oldest) => waiting_since(plane, deployment, oldest).await?,
            None => Vec::new(),
        };
        let Some(id) = deployment.current.as_ref().filter(recent) else { return Ok(OpenRuns { open, current: None }) };
        if let Some(current) = open.iter().find(|run| run.id == *id).cloned() {
            return Ok(OpenRuns { open, current: Some(current) });
        }
        let current = plane.store.run(&deployment.owner, &deployment.project, id).await?;
        // A task that waits for objects is seen to by itself.
        open.splice(0..0, current.clone().filter(|run| !run.state.is_final() && !run.is_open_task()));
        Ok(OpenRuns { open, current })
    }

    /// Those that nobody works on or will.
    pub fn forgotten(&self, plane: &Plane, now: Timestamp, patience: SignedDuration) -> impl Iterator<Item = &Run> {
        let is_forgotten = move |run: &&Run| is_forgotten(plane, run, now, patience);
        self.open.iter().filter(is_forgotten).filter(move |run| !self.is_in_line(run, now, patience))
    }

    /// Whether a run waits for its turn behind the current one, which is open or has just ended: its bell stands in the
    /// same line. One that a later webhook has overtaken has lost its bell. So has each where a plane starts, which has
    /// no patience.
    fn is_in_line(&self, run: &Run, now: Timestamp, patience: SignedDuration) -> bool {
        let Some(current) = self.current.as_ref().filter(|current| current.id != run.id) else { return false };
        let moves_on = current.ended_at.is_none_or(|at| at + patience > now);
        let is_overtaken = current.trigger == Trigger::Webhook && run.queued_at + patience <= current.queued_at;
        run.state == State::Queued && moves_on && !is_overtaken && !patience.is_zero()
    }
}

async fn waiting_since(plane: &Plane, deployment: &Deployment, oldest: &RunId) -> Result<Vec<Run>, Error> {
    let made = Made { since: Some(oldest.made_at()), until: None };
    let mut open = Vec::new();
    let mut cursor = None;
    loop {
        let page = plane.store.runs(&deployment.owner, &deployment.project, &made, cursor.as_ref(), PAGE_LIMIT).await?;
        // Tasks take no turns; they are seen to by themselves.
        open.extend(page.items.into_iter().filter(|run| !run.state.is_final() && run.task.is_none()));
        cursor = page.next;
        if cursor.is_none() {
            // Those that wait are served in the order in which they came.
            open.reverse();
            return Ok(open);
        }
    }
}

/// Whether nobody works on a run, whoever goes before it.
fn is_forgotten(plane: &Plane, run: &Run, now: Timestamp, patience: SignedDuration) -> bool {
    match (run.state, &run.lease) {
        (State::Running, Some(lease)) => lease.until < now || is_gone(plane, lease),
        (State::Running, None) => true,
        (State::Queued, _) => run.not_before.unwrap_or(run.queued_at) + patience <= now || patience.is_zero(),
        _ => false,
    }
}
