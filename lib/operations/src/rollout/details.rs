//! What a rollout would change, in detail: the graph, the settings and the times at which a pipeline is due.

use crate::deployment::definition::stored_pipeline;
use crate::error::Error;
use crate::plane::Plane;
use crate::rollout::request::CheckedPipeline;
use serde::Serialize;
use std::collections::BTreeMap;
use tidemill_model::deployment::{Deployment, Settings, State};
use tidemill_model::ids::OwnerId;
use tidemill_model::pipeline::{Graph, Pipeline};
use tidemill_model::rollout::Action;
use tidemill_model::schedule::{Outlook, Schedule};
use tidemill_model::version::Version;
use tidemill_plan::Difference;

/// Most entries of all graphs of a preview, so that an answer stays below what Lambda gives back.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ENTRIES: usize = 20_000;
/// Most pipelines with their times; each has some fifty instants.
const TIMES: usize = 1_000;

/// What would become of a resource.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceChange {
    pub logical_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub project: String,
    pub action: Action,
    /// What is live now.
    pub version: Option<u32>,
    /// Why it would fail.
    pub problem: Option<String>,
    pub warnings: Vec<crate::Detail>,
    pub graph: Option<Difference>,
    pub settings: Vec<SettingChange>,
    pub time: Option<TimeChange>,
}

/// A resource as it is, and as it would be.
pub(crate) struct ResourceComparison<'a> {
    pub change: ResourceChange,
    pub live: Option<Deployment>,
    /// The version that is live.
    pub version: Option<Version>,
    /// `None` if it is removed.
    pub becomes: Option<(&'a CheckedPipeline, (Schedule, Settings))>,
}

/// When a pipeline is due.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeChange {
    /// `None` if it is not deployed.
    pub schedule_before: Option<ScheduleText>,
    pub schedule_after: Option<ScheduleText>,
    /// The deployment is paused: nothing of this runs until it is resumed.
    pub paused: bool,
    #[serde(flatten)]
    pub outlook: Outlook,
}

/// A schedule as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScheduleText {
    pub schedule: String,
    pub timezone: String,
}

/// A setting that would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    pub name: &'static str,
    pub before: u32,
    pub after: u32,
}

impl From<&Schedule> for ScheduleText {
    fn from(schedule: &Schedule) -> ScheduleText {
        ScheduleText { schedule: schedule.as_str().to_owned(), timezone: schedule.zone().as_str().to_owned() }
    }
}

/// Adds the details to a change.
pub(crate) async fn detailed(
    plane: &Plane,
    owner: &OwnerId,
    seen: &ResourceComparison<'_>,
    paused: bool,
) -> Result<ResourceChange, Error> {
    let mut change = seen.change.clone();
    if !matches!(change.action, Action::Create | Action::Update | Action::Delete) {
        return Ok(change);
    }
    change.graph = graph(plane, owner, seen).await?.filter(|graph| !graph.is_empty());
    change.settings = settings(seen);
    change.time = time(plane, seen, paused);
    if let Some((checked, (schedule, _))) = &seen.becomes {
        change.warnings = checked.warnings_on(plane, schedule)?;
        change.warnings.extend(checked.definition.unset_secrets(plane, owner, &mut BTreeMap::new()).await?);
    }
    Ok(change)
}

/// Keeps the answer within its bounds; `true` if something was left out.
pub(crate) fn bounded(changes: &mut [ResourceChange]) -> bool {
    let (mut entries, mut times, mut is_cut) = (0, 0, false);
    for change in changes {
        entries += change.graph.as_ref().map_or(0, Difference::entries);
        times += usize::from(change.time.is_some());
        let is_over =
            [entries > ENTRIES && change.graph.take().is_some(), times > TIMES && change.time.take().is_some()];
        is_cut |= is_over.contains(&true);
    }
    is_cut
}

async fn graph(plane: &Plane, owner: &OwnerId, seen: &ResourceComparison<'_>) -> Result<Option<Difference>, Error> {
    let Some((checked, _)) = &seen.becomes else { return Ok(None) };
    let after = checked.definition.pipeline.graph();
    let Some(version) = &seen.version else { return Ok(Some(Difference::between(&Graph::default(), after))) };
    if version.sha256 == checked.definition.sha256() {
        return Ok(None);
    }
    let text = stored_pipeline(plane, owner, &version.project, &version.sha256).await?;
    // A version that was deployed once can be parsed, unless the rules have changed since: then it has no graph.
    let before = Pipeline::parse(text.get()).ok();
    Ok(before.map(|before| Difference::between(before.graph(), after)))
}

fn settings(seen: &ResourceComparison<'_>) -> Vec<SettingChange> {
    let (Some(live), Some((_, (_, after)))) = (&seen.live, &seen.becomes) else { return Vec::new() };
    let Settings { catch_up_seconds, max_attempts, timeout_seconds } = live.settings;
    let pairs = [
        ("catchUpSeconds", catch_up_seconds, after.catch_up_seconds),
        ("maxAttempts", max_attempts, after.max_attempts),
        ("timeoutSeconds", timeout_seconds, after.timeout_seconds),
    ];
    let changed = pairs.into_iter().filter(|(_, before, after)| before != after);
    changed.map(|(name, before, after)| SettingChange { name, before, after }).collect()
}

/// `None` if it neither is nor becomes due by itself.
fn time(plane: &Plane, seen: &ResourceComparison<'_>, paused: bool) -> Option<TimeChange> {
    let before = seen.live.as_ref().map(|live| &live.schedule);
    let after = seen.becomes.as_ref().map(|(_, (schedule, _))| schedule);
    if before.into_iter().chain(after).all(Schedule::is_manual) {
        return None;
    }
    Some(TimeChange {
        schedule_before: before.map(ScheduleText::from),
        schedule_after: after.map(ScheduleText::from),
        paused: seen.live.as_ref().map_or(paused, |live| matches!(live.state, State::Paused { .. })),
        outlook: Outlook::of(before, after, &plane.calendar, plane.now()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemill_plan::difference::ComponentName;

    fn change(components: usize, is_due: bool) -> ResourceChange {
        let named = |number: usize| ComponentName { id: number.to_string(), provider: "log".to_owned() };
        let graph = Difference { added: (0..components).map(named).collect(), ..Difference::default() };
        let time =
            TimeChange { schedule_before: None, schedule_after: None, paused: false, outlook: Outlook::default() };
        ResourceChange {
            logical_id: "a".to_owned(),
            kind: "pipeline".to_owned(),
            project: "a".to_owned(),
            action: Action::Create,
            version: None,
            problem: None,
            warnings: Vec::new(),
            graph: Some(graph),
            settings: Vec::new(),
            time: is_due.then_some(time),
        }
    }

    #[test]
    fn an_answer_leaves_out_details_beyond_its_bounds_and_says_so() {
        let mut fits = vec![change(ENTRIES / 2, true), change(ENTRIES / 2, false)];
        let mut is_large = vec![change(ENTRIES, false), change(1, true)];
        let mut is_long = vec![change(0, true); TIMES + 1];

        assert_eq!([&mut fits, &mut is_large, &mut is_long].map(|changes| bounded(changes)), [false, true, true]);
        assert!(fits.iter().all(|change| change.graph.is_some()));
        assert_eq!(is_large[1].graph, None);
        assert!(is_large[1].time.is_some() && is_long[TIMES].time.is_none() && is_long[TIMES - 1].time.is_some());
    }
}
