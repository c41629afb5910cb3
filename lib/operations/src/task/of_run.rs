//! Runs that a schedule, a hook or a hand started, as tasks: for clients that know runs only so. A run is addressed by its
//! id in place of a token.

use crate::answer::{TaskStatus, components};
use crate::deployment::definition::stored_pipeline;
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::run::preparation::plan;
use jiff::SignedDuration;
use serde_json::value::RawValue;
use tidemill_model::ids::RunId;
use tidemill_model::run::{self, Run};
use tidemill_model::task::{Counts, End, READABLE, State, Trace};
use tidemill_model::version::NO_VERSION;
use tidemill_store::Period;

/// Runs that are looked at, and how old the oldest of them may be.
const RUNS: usize = 50;
const OLDEST: SignedDuration = SignedDuration::from_hours(24);

/// Those that go on, and those that ended not long ago; newest first.
pub async fn list(plane: &Plane, call: &Call) -> Result<Vec<TaskStatus>, Error> {
    let period = Period { since: Some(plane.now() - OLDEST), until: None };
    let mut shown = Vec::new();
    for run in plane.store.runs_of_owner(&call.owner, &period, None, RUNS).await?.items {
        if is_shown(plane, &run) {
            shown.push(status(plane, run).await?);
        }
    }
    Ok(shown)
}

/// One of them, by its id.
pub async fn get(plane: &Plane, call: &Call, id: &str) -> Result<Option<TaskStatus>, Error> {
    match find(plane, call, id).await? {
        Some(run) => status(plane, run).await.map(Some),
        None => Ok(None),
    }
}

/// The pipeline of one of them, as it was sent.
pub async fn pipeline(plane: &Plane, call: &Call, id: &str) -> Result<Option<Box<RawValue>>, Error> {
    let Some(run) = find(plane, call, id).await? else { return Ok(None) };
    let project = run.deployment.project();
    let Some(number) = run.version else { return Ok(None) };
    let version = plane.store.version(&run.owner, project, number).await?;
    let version = version.ok_or_else(|| Error::internal("a run's version is missing"))?;
    stored_pipeline(plane, &run.owner, project, &version.sha256).await.map(Some)
}

async fn find(plane: &Plane, call: &Call, id: &str) -> Result<Option<Run>, Error> {
    let Ok(id) = RunId::parse(id) else { return Ok(None) };
    let run = plane.store.run_anywhere(&call.owner, &id).await?;
    Ok(run.filter(|run| is_shown(plane, run)))
}

/// Whether it has begun and did not end long ago, and is no task already.
fn is_shown(plane: &Plane, run: &Run) -> bool {
    let is_recent = run.ended_at.is_none_or(|at| plane.now().duration_since(at) < READABLE);
    run.task.is_none() && run.started_at.is_some() && is_recent
}

async fn status(plane: &Plane, run: Run) -> Result<TaskStatus, Error> {
    let plan = plan(plane, &run).await?;
    let source = plan.source();
    let end = match run.state {
        run::State::Queued | run::State::Running => None,
        run::State::Succeeded => Some(End::Finished),
        run::State::Cancelled => Some(End::Terminated),
        run::State::Failed | run::State::TimedOut => Some(End::Failed),
    };
    let going = if run.cancel_requested_at.is_some() { State::Ending } else { State::Open };
    let opened_at = run.started_at.unwrap_or(run.queued_at);
    let (objects, version) = (run.objects, run.version.unwrap_or(NO_VERSION));
    let counted = components(run.components.as_deref());
    Ok(TaskStatus {
        token: run.id.to_string(),
        address: run.id.to_string(),
        id: format!("{}.{}", run.id, source.id),
        name: run.deployment.project().to_string(),
        description: format!("{} run of version {version}", run.trigger.as_str()),
        project: run.deployment.project().to_string(),
        source: source.id.clone(),
        provider: source.provider.clone(),
        run: run.id.to_string(),
        version,
        state: if end.is_some() { State::Ended } else { going },
        end,
        opened_at,
        used_at: run.ended_at.unwrap_or(opened_at),
        ended_at: run.ended_at,
        ttl_seconds: 0,
        in_flight: 0,
        counts: Counts { total_count: objects, completed_count: objects, ..Counts::default() },
        components: counted,
        errors: run.error.into_iter().map(|error| error.message).collect(),
        restarts: 0,
        log_chunks: run.log_chunks,
        place: run.deployment,
        waits: false,
        trace: Trace::None,
        current: (String::new(), 0),
    })
}
