//! Why there was a run at some minute, or why there was none: answered from the ledger of ticks and the audit rows.

use crate::error::Error;
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use crate::tick::list::{TickAnswer, TickOutcome, TickReason, ticks};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::{Deployment, Status};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::ProjectId;
use tidemill_model::key::Scope;
use tidemill_model::tick::{Missed, Outcome, Skipped, Tick};
use tidemill_store::Audit;

pub struct Why;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    pub time: Timestamp,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    pub project: String,
    /// The schedule minute that was asked about.
    pub time: Timestamp,
    pub outcome: TickOutcome,
    pub reason: Option<TickReason>,
    pub run: Option<String>,
    /// The same in a sentence.
    pub explanation: String,
    /// The schedule that held at the time.
    pub schedule: Option<String>,
    /// The time zone of that schedule.
    pub timezone: Option<String>,
    /// What a change of the clock means for the minute.
    pub clock_note: Option<String>,
    /// The due minutes around it.
    pub previous: Option<Timestamp>,
    pub next: Option<Timestamp>,
}

impl crate::Operation for Why {
    const NAME: &'static str = "tick_why";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let found = plane.store.deployment(&call.owner, &DeploymentId::from(&input.project)).await?;
        let deployment = found.ok_or_else(|| Error::not_found(Noun::Project, &input.project))?;
        let minute = SignedDuration::try_from(plane.calendar.minute()).unwrap_or(SignedDuration::ZERO);
        // The newest up to the time; more than one are in a minute that was shorter when they were taken.
        let end = just_after(input.time);
        let found = ticks(plane, &deployment, Some(start_of(input.time, minute)), Some(end), 1).await?;
        let held = held_at(plane, &deployment, input.time).await?;
        let question = Question { plane, deployment: &deployment, held: held.as_ref(), time: input.time };
        match found.into_iter().find(|tick| tick.at <= input.time && input.time.duration_since(tick.at) < minute) {
            Some(tick) => Ok(question.ticked(tick)),
            None => Ok(question.without_tick()),
        }
    }
}

fn start_of(time: Timestamp, minute: SignedDuration) -> Timestamp {
    time.checked_sub(minute).unwrap_or(Timestamp::MIN)
}

fn just_after(time: Timestamp) -> Timestamp {
    time.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX)
}

/// The newest change up to some instant: what held then.
async fn held_at(plane: &Plane, deployment: &Deployment, at: Timestamp) -> Result<Option<Audit>, Error> {
    let page = plane.store.audits(&deployment.owner, &deployment.id, Some(at), None, 1).await?;
    Ok(page.items.into_iter().next())
}

struct Question<'a> {
    plane: &'a Plane,
    deployment: &'a Deployment,
    held: Option<&'a Audit>,
    time: Timestamp,
}

impl Question<'_> {
    fn ticked(&self, tick: Tick) -> Output {
        let explanation = match &tick.outcome {
            Outcome::Ran { run } => format!("the tick of {} made run {run}", tick.at),
            Outcome::Skipped(Skipped::Overlap { run }) => {
                format!(
                    "the tick was skipped because run {run} was still going, and a project never runs twice at once"
                )
            }
            Outcome::Skipped(Skipped::Paused) => "the tick was skipped because the project was paused".into(),
            Outcome::Skipped(Skipped::Errored) => {
                "the tick was skipped because the project was errored: its key had been revoked or had expired".into()
            }
            Outcome::Skipped(Skipped::Changed) => {
                "the tick was skipped because the project was changed before the tick was taken".into()
            }
            Outcome::Missed(Missed::TooLate) => format!(
                "the tick was missed: the plane took it later than the catch-up window of {} s",
                self.deployment.settings.catch_up_seconds
            ),
            Outcome::Missed(Missed::CaughtUp { run }) => {
                format!("the tick was missed and caught up by run {run}, which a later tick made")
            }
        };
        let answer = TickAnswer::from(tick);
        let clock_note = self.clock_note(answer.at);
        let output = self.output(answer.outcome, explanation);
        Output { reason: answer.reason, run: answer.run, time: answer.at, clock_note, ..output }
    }

    fn without_tick(&self) -> Output {
        let Some(held) = self.held.filter(|held| held.state != Status::Removed) else {
            return self.output(TickOutcome::NotDeployed, "the project was not deployed at that time".into());
        };
        let schedule = &held.schedule;
        if schedule.is_manual() {
            return self
                .output(TickOutcome::NotDue, "the schedule was `manual`: only a call or a webhook starts it".into());
        }
        let due = self.previous_or_at().filter(|at| self.time.duration_since(*at) < self.minute());
        let text = schedule.as_str();
        match (due, self.time > self.plane.now()) {
            (None, _) => self.output(TickOutcome::NotDue, format!("the minute is not due by the schedule `{text}`")),
            (Some(_), true) => {
                self.output(TickOutcome::Future, format!("the minute is due by `{text}` and still to come"))
            }
            // Each due minute up to this instant has its tick, but where a minute lasted otherwise.
            (Some(at), false) if at <= self.deployment.ticked_until => self.output(
                TickOutcome::NotDue,
                "the minute was not due: at that time a schedule's minute lasted longer or shorter than now".into(),
            ),
            (Some(_), false) => self.output(TickOutcome::Pending, "the tick is due and about to be taken".into()),
        }
    }

    fn minute(&self) -> SignedDuration {
        SignedDuration::try_from(self.plane.calendar.minute()).unwrap_or(SignedDuration::ZERO)
    }

    fn previous_or_at(&self) -> Option<Timestamp> {
        self.plane.calendar.previous_tick(&self.held?.schedule, just_after(self.time))
    }

    /// A calendar of shorter minutes has no clock that changes.
    fn clock_note(&self, at: Timestamp) -> Option<String> {
        let held = self.held.filter(|held| held.state != Status::Removed && self.plane.calendar == Calendar::default());
        held?.schedule.clock_note(at)
    }

    fn output(&self, outcome: TickOutcome, explanation: String) -> Output {
        let schedule = self.held.map(|held| &held.schedule);
        Output {
            project: self.deployment.id.to_string(),
            time: self.time,
            outcome,
            reason: None,
            run: None,
            explanation,
            schedule: schedule.map(|schedule| schedule.as_str().to_owned()),
            timezone: schedule.map(|schedule| schedule.zone().as_str().to_owned()),
            clock_note: self.clock_note(self.time),
            previous: schedule.and_then(|schedule| self.plane.calendar.previous_tick(schedule, self.time)),
            next: schedule.and_then(|schedule| self.plane.calendar.next_tick(schedule, self.time)),
        }
    }
}
