//! Schedules, without a deployment.

use super::arguments::optional;
use super::{CommandRequest, body, seconds};
use crate::dap::failure::{Failure, with_hint};
use crate::dap::frame::Body;
use serde_json::json;
use tidemill_operations::Operation;
use tidemill_operations::schedule_preview::{self, SchedulePreview};

pub async fn preview(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = request;
    // An empty text is a schedule that cannot be read, and that is an answer.
    let schedule = arguments.text("schedule")?.ok_or_else(|| Failure::new("schedule is required"))?;
    let count = optional::<i64>(&arguments, "count", "a whole number")?;
    let count = count.map(|count| u32::try_from(count.max(0)).unwrap_or(u32::MAX));
    let seen = SchedulePreview::run(&plane, &call, schedule_preview::Input { schedule, timezone: None, count }).await?;
    let next: Vec<_> = seen.next.into_iter().map(seconds).collect();
    let mut answer = json!({"valid": seen.valid, "next": next});
    if let Some(error) = seen.error {
        answer["error"] = with_hint(&error, seen.hint.as_deref()).into();
    }
    body(&answer)
}
