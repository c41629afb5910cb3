//! The ledger of ticks, newest first: every due minute with what became of it.
//!
//! It is put together from the runs that ticks made, the stretches of ticks that made none, and, while a deployment
//! does not run, what follows from that.

use crate::answer::{self, ListAnswer};
use crate::deployment::change::unsettled;
use crate::error::Error;
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use crate::run::list::with_carried;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::ProjectId;
use tidemill_model::invalid::Invalid;
use tidemill_model::key::Scope;
use tidemill_model::run::Trigger;
use tidemill_model::tick::{Missed, Outcome, Skipped, Stretch, Tick};
use tidemill_store::Period;

pub struct List;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    /// Ticks at this instant or later.
    pub since: Option<Timestamp>,
    /// Ticks before this instant.
    pub until: Option<Timestamp>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// What became of a minute. A list of ticks has the first three alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TickOutcome {
    Ran,
    Skipped,
    Missed,
    NotDue,
    NotDeployed,
    Pending,
    Future,
}

/// Why a tick made no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TickReason {
    Overlap,
    Paused,
    Errored,
    Changed,
    TooLate,
    CaughtUp,
}

#[derive(Debug, Serialize)]
pub struct TickAnswer {
    /// The due minute.
    pub at: Timestamp,
    pub outcome: TickOutcome,
    pub reason: Option<TickReason>,
    /// The run that the tick made, or that kept it from making one.
    pub run: Option<String>,
}

impl From<Tick> for TickAnswer {
    fn from(tick: Tick) -> TickAnswer {
        let (outcome, reason, run) = match tick.outcome {
            Outcome::Ran { run } => (TickOutcome::Ran, None, Some(run)),
            Outcome::Skipped(Skipped::Overlap { run }) => (TickOutcome::Skipped, Some(TickReason::Overlap), Some(run)),
            Outcome::Skipped(Skipped::Paused) => (TickOutcome::Skipped, Some(TickReason::Paused), None),
            Outcome::Skipped(Skipped::Errored) => (TickOutcome::Skipped, Some(TickReason::Errored), None),
            Outcome::Skipped(Skipped::Changed) => (TickOutcome::Skipped, Some(TickReason::Changed), None),
            Outcome::Missed(Missed::TooLate) => (TickOutcome::Missed, Some(TickReason::TooLate), None),
            Outcome::Missed(Missed::CaughtUp { run }) => (TickOutcome::Missed, Some(TickReason::CaughtUp), Some(run)),
        };
        TickAnswer { at: tick.at, outcome, reason, run: run.map(|run| run.to_string()) }
    }
}

impl crate::Operation for List {
    const NAME: &'static str = "tick_list";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = ListAnswer<TickAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let limit = answer::page_limit(input.limit)?;
        let before = input.cursor.as_deref().map(position).transpose()?;
        let until = [before, input.until].into_iter().flatten().min();
        let found = plane.store.deployment(&call.owner, &DeploymentId::from(&input.project)).await?;
        let deployment = found.ok_or_else(|| Error::not_found(Noun::Project, &input.project))?;
        let mut ticks = ticks(plane, &deployment, input.since, until, limit + 1).await?;
        let next = match ticks.len() > limit {
            true => {
                ticks.truncate(limit);
                ticks.last().map(|tick| tick.at.as_millisecond().to_string())
            }
            false => None,
        };
        Ok(ListAnswer { items: ticks.into_iter().map(TickAnswer::from).collect(), next })
    }
}

fn position(text: &str) -> Result<Timestamp, Error> {
    let at = text.parse().ok().and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
    at.ok_or_else(|| {
        let message = "the cursor was not made by this list";
        Invalid::new("cursor", message, "send `next` of the page before unchanged").into()
    })
}

/// The newest ticks of a deployment from `since` up to before `until`, newest first, at most `most`.
pub async fn ticks(
    plane: &Plane,
    deployment: &Deployment,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    most: usize,
) -> Result<Vec<Tick>, Error> {
    let (owner, id) = (&deployment.owner, &deployment.id);
    let mut stretches = plane.store.stretches(owner, id, until, most).await?;
    if deployment.state != State::Active {
        stretches.extend(unsettled(plane, deployment, plane.now()));
    }
    let mut ticks: Vec<Tick> = Vec::new();
    for stretch in &stretches {
        ticks.extend(newest(plane, stretch, until, most));
    }
    ticks.extend(ran(plane, deployment, since, until, most).await?);
    ticks.sort_by_key(|tick| std::cmp::Reverse(tick.at));
    ticks.retain(|tick| since.is_none_or(|since| tick.at >= since));
    ticks.truncate(most);
    Ok(ticks)
}

/// The newest ticks of a stretch.
fn newest(plane: &Plane, stretch: &Stretch, until: Option<Timestamp>, most: usize) -> Vec<Tick> {
    let calendar = &plane.calendar;
    let just_after = stretch.last.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
    let start = until.map_or(just_after, |until| until.min(just_after));
    let earlier =
        |before: Timestamp| calendar.previous_tick(&stretch.schedule, before).filter(|tick| *tick >= stretch.first);
    std::iter::successors(earlier(start), |tick| earlier(*tick))
        .take(most)
        .map(|at| Tick { at, outcome: stretch.outcome.clone() })
        .collect()
}

/// The newest ticks that made a run. A run is made at its tick or later, so the runs are read from `since` on, and
/// those that were made after `until` may still be of a tick before it.
pub(crate) async fn ran(
    plane: &Plane,
    deployment: &Deployment,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    most: usize,
) -> Result<Vec<Tick>, Error> {
    let late = plane.calendar.scaled(deployment.settings.catch_up()).max(std::time::Duration::from_secs(600));
    let late = SignedDuration::try_from(late).unwrap_or(SignedDuration::MAX);
    let early = SignedDuration::from_mins(5);
    let period = Period {
        since: since.and_then(|at| at.checked_sub(early).ok()),
        until: until.and_then(|at| at.checked_add(late).ok()),
    };
    let mut ticks = Vec::new();
    let mut cursor = None;
    loop {
        let page = plane.store.runs(&deployment.owner, &deployment.id, &period, cursor.as_ref(), 100).await?;
        let page = with_carried(page, Some(deployment), &period, cursor.as_ref(), plane.now());
        let of_schedule = page.items.into_iter().filter(|run| run.trigger == Trigger::Schedule);
        let in_range =
            of_schedule.filter_map(|run| Some(Tick { at: run.tick?, outcome: Outcome::Ran { run: run.id } }));
        ticks.extend(in_range.filter(|tick| until.is_none_or(|until| tick.at < until)));
        cursor = page.next;
        if ticks.len() >= most || cursor.is_none() {
            return Ok(ticks);
        }
    }
}
