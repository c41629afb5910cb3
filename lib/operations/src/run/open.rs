//! The runs of a deployment that have not ended: the current one and those that wait for their turn. Who of them nobody
//! works on is told here; the reaper and the doctor ring for them.

use crate::error::Error;
use crate::plane::Plane;
use jiff::{SignedDuration, Timestamp};
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::RunId;
use tidemill_model::run::{Run, State, Trigger};
use tidemill_store::{Made, PAGE_LIMIT, Part};

/// Runs older than this have ended: no run may take longer with all its attempts.
const OLDEST: SignedDuration = SignedDuration::from_hours(24 * 12);

/// How far the clocks of two functions may be apart. A run that comes in later is not named as older than this.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);
/// How often the mark is written anew because somebody changed the deployment.
const TRIES: usize = 5;

pub(crate) struct OpenRuns {
    /// Those that have not ended, oldest first.
    pub open: Vec<Run>,
    /// Before this run none waits, nor will one that comes in; `None` where that is not known of any.
    mark: Option<RunId>,
    /// The run that last held the right to run, ended or not.
    current: Option<Run>,
}

impl OpenRuns {
    pub async fn of(plane: &Plane, deployment: &Deployment, now: Timestamp) -> Result<OpenRuns, Error> {
        let recent = |run: &&RunId| now.duration_since(run.made_at()) < OLDEST;
        let mut runs = match deployment.waiting.as_ref().filter(recent) {
            Some(oldest) => OpenRuns::since(plane, deployment, oldest, now).await?,
            None => OpenRuns { open: Vec::new(), mark: None, current: None },
        };
        let Some(id) = deployment.current.as_ref().filter(recent) else { return Ok(runs) };
        runs.current = runs.open.iter().find(|run| run.id == *id).cloned();
        if runs.current.is_none() {
            runs.current = plane.store.run(&deployment.owner, &deployment.id, id).await?;
            // A task that waits for objects is seen to by itself.
            let current = runs.current.clone().filter(|run| !run.state.is_final() && !run.is_open_task());
            runs.open.splice(0..0, current);
        }
        Ok(runs)
    }

    /// Those that wait, and the current one if it is among them.
    async fn since(plane: &Plane, deployment: &Deployment, oldest: &RunId, now: Timestamp) -> Result<OpenRuns, Error> {
        let (owner, project) = (&deployment.owner, &deployment.id);
        let made = Made { since: Some(oldest.made_at()), until: None };
        let mut runs = OpenRuns { open: Vec::new(), mark: None, current: None };
        let mut cursor = None;
        loop {
            let page = plane.store.runs(owner, project, &made, cursor.as_ref(), PAGE_LIMIT * 10).await?;
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

    /// Notes from which run on later sweeps have to look for those that wait.
    pub async fn note(&self, plane: &Plane, deployment: &Deployment) -> Result<(), Error> {
        if deployment.waiting.is_none() {
            return Ok(());
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

/// Writes the mark unless the deployment has changed.
async fn noted(plane: &Plane, before: &Deployment, waiting: Option<RunId>) -> Result<bool, Error> {
    let after = Deployment { waiting, revision: before.revision + 1, ..before.clone() };
    match plane.store.transaction().deployment(&after, before.revision)?.commit().await {
        Ok(()) => Ok(true),
        Err(error) if error.rejects(Part::Deployment) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether nobody works on a run, whoever goes before it.
fn is_forgotten(plane: &Plane, run: &Run, now: Timestamp, patience: SignedDuration) -> bool {
    match run.state {
        State::Running => !run.is_held(now, plane.workers.this()),
        State::Queued => run.not_before.unwrap_or(run.queued_at) + patience <= now || patience.is_zero(),
        _ => false,
    }
}
