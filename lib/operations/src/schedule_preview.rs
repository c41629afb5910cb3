//! What a schedule means: the next instants at which it is due, by the calendar that ticks are taken by.

use crate::deployment::definition;
use crate::error::Error;
use crate::plane::{Call, Plane};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidemill_model::key::Scope;
use tidemill_model::schedule::Schedule;

/// Instants that are shown unless the caller says otherwise, and at most.
const SHOWN: u32 = 5;
const SHOWN_LIMIT: u32 = 50;

pub struct SchedulePreview;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub schedule: String,
    /// UTC unless it is given.
    pub timezone: Option<String>,
    /// More than 50 are 50.
    pub count: Option<u32>,
}

/// A schedule that cannot be read is an answer, too.
#[derive(Debug, Serialize)]
pub struct Output {
    pub valid: bool,
    pub next: Vec<Timestamp>,
    pub error: Option<String>,
    pub hint: Option<String>,
}

impl crate::Operation for SchedulePreview {
    const NAME: &'static str = "schedule_preview";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let schedule = match definition::schedule(Some(&input.schedule), input.timezone.as_deref(), &Schedule::MANUAL) {
            Ok(schedule) => schedule,
            Err(Error { message, hint, .. }) => {
                return Ok(Output {
                    valid: false,
                    next: Vec::new(),
                    error: Some(message),
                    hint: hint.map(|hint| hint.to_string()),
                });
            }
        };
        let first = plane.calendar.next_tick(&schedule, call.now);
        let ticks = std::iter::successors(first, |tick| plane.calendar.next_tick(&schedule, *tick));
        let count = input.count.unwrap_or(SHOWN).min(SHOWN_LIMIT);
        Ok(Output { valid: true, next: ticks.take(count as usize).collect(), error: None, hint: None })
    }
}
