//! What operations answer, with the wire's names.

use crate::plane::{Call, Plane};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidemill_model::deployment::{Deployment, State, Status};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::git::Git;
use tidemill_model::key::{Key, Scope};
use tidemill_model::run::{self, ComponentCounts, Failure, Run, Trigger};
use tidemill_model::task::{self, Counts, ERRORS_LIMIT, End, Task, Trace};
use tidemill_model::version::{NO_VERSION, Version};
use tidemill_store::Page;

/// Due instants shown with a deployment.
const NEXT_TICKS: usize = 5;

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct ListAnswer<T> {
    pub items: Vec<T>,
    /// Sent back as `cursor`, gives the next page; `null` on the last.
    pub next: Option<String>,
}

impl<T> ListAnswer<T> {
    pub fn of<U>(page: Page<U>, answer: impl FnMut(U) -> T) -> ListAnswer<T> {
        ListAnswer {
            next: page.next.as_ref().map(|cursor| cursor.encode()),
            items: page.items.into_iter().map(answer).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentAnswer {
    pub project: String,
    pub state: Status,
    pub note: Option<String>,
    pub error: Option<String>,
    pub schedule: String,
    pub timezone: String,
    /// The group that it is a member of.
    pub group: Option<String>,
    /// The next due instants, empty unless it is active on a schedule.
    pub next: Vec<Timestamp>,
    pub version: u32,
    pub revision: u64,
    /// Where the project's webhook listens; it stays the same while the project exists. `null` for callers who may only
    /// look: anyone who has it can trigger a run.
    pub hook: Option<String>,
    pub catch_up_seconds: u32,
    pub max_attempts: u32,
    pub timeout_seconds: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// In the answers of `get` and `list`; `null` if it never ran, or if its last run is no longer kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Option<LastRunAnswer>>,
    /// In the answer of `pause`: runs that have not begun, and wait until it is resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_runs: Option<usize>,
    pub warnings: Vec<crate::Detail>,
    /// The pipeline as JSON, where it is asked for; if that is what was sent, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Box<RawValue>>,
    /// The pipeline as it was sent, if that is in another format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_text: Option<Box<RawValue>>,
}

impl DeploymentAnswer {
    pub fn of(plane: &Plane, deployment: &Deployment) -> DeploymentAnswer {
        let (note, error) = match &deployment.state {
            State::Paused { note, .. } => (note.clone(), None),
            State::Errored { reason, .. } => (None, Some(reason.clone())),
            _ => (None, None),
        };
        DeploymentAnswer {
            project: deployment.id.to_string(),
            state: deployment.state.status(),
            note,
            error,
            schedule: deployment.schedule.as_str().to_owned(),
            timezone: deployment.schedule.zone().as_str().to_owned(),
            group: deployment.group.clone().map(String::from),
            next: next_ticks(plane, deployment),
            version: deployment.version,
            revision: deployment.revision,
            hook: Some(format!("/hooks/{}", deployment.hook)),
            catch_up_seconds: deployment.settings.catch_up_seconds,
            max_attempts: deployment.settings.max_attempts,
            timeout_seconds: deployment.settings.timeout_seconds,
            created_at: deployment.created_at,
            updated_at: deployment.updated_at,
            last_run: None,
            held_runs: None,
            warnings: Vec::new(),
            pipeline: None,
            pipeline_text: None,
        }
    }
}

impl DeploymentAnswer {
    /// The same as far as a caller may see it.
    pub fn seen_by(self, call: &Call) -> DeploymentAnswer {
        let hook = self.hook.filter(|_| call.may_act());
        DeploymentAnswer { hook, ..self }
    }
}

/// The run that last held the right to run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastRunAnswer {
    pub id: String,
    pub state: run::State,
    /// `null` while it is open.
    pub ended_at: Option<Timestamp>,
}

impl From<Run> for LastRunAnswer {
    fn from(run: Run) -> LastRunAnswer {
        LastRunAnswer { id: run.id.to_string(), state: run.state, ended_at: run.ended_at }
    }
}

/// Due instants that are still to come and not yet taken.
fn next_ticks(plane: &Plane, deployment: &Deployment) -> Vec<Timestamp> {
    let Some(schedule) = deployment.due_schedule() else { return Vec::new() };
    let mut after = plane.now().max(deployment.ticked_until);
    let mut ticks = Vec::with_capacity(NEXT_TICKS);
    while ticks.len() < NEXT_TICKS {
        let Some(tick) = plane.calendar.next_tick(schedule, after) else { break };
        ticks.push(tick);
        after = tick;
    }
    ticks
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionAnswer {
    pub project: String,
    pub version: u32,
    /// What the pipeline calls itself.
    #[serde(skip)]
    pub name: Option<String>,
    pub sha256: String,
    pub bytes: u64,
    pub components: u32,
    pub created_at: Timestamp,
    /// The id of the key that made it.
    pub created_by: String,
    pub note: Option<String>,
    /// The rollout that made it.
    pub rollout: Option<String>,
    pub git: Option<Git>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Box<RawValue>>,
    /// The pipeline as it was sent, if that is in another format than JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_text: Option<Box<RawValue>>,
}

impl From<Version> for VersionAnswer {
    fn from(version: Version) -> VersionAnswer {
        VersionAnswer {
            project: version.project.to_string(),
            version: version.number,
            name: version.name,
            sha256: version.sha256,
            bytes: version.bytes,
            components: version.components,
            created_at: version.created_at,
            created_by: version.created_by.to_string(),
            note: version.note,
            rollout: version.rollout.map(String::from),
            git: version.git,
            pipeline: None,
            pipeline_text: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunAnswer {
    pub id: String,
    pub project: String,
    /// The environment and the source that it is a run of, if it is one of an environment.
    pub environment: Option<String>,
    pub source: Option<String>,
    pub version: u32,
    pub trigger: Trigger,
    pub state: run::State,
    pub attempt: u32,
    /// The due minute that it was made for.
    pub tick: Option<Timestamp>,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub duration_ms: Option<i64>,
    pub objects: u64,
    /// Values that its components lost so far.
    pub dropped: u64,
    /// In the order of the plan; empty until something was saved. Lists leave them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<ComponentAnswer>>,
    pub error: Option<Failure>,
    pub cancel_requested_at: Option<Timestamp>,
    /// `null` until there is one. Lists leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Option<Box<RawValue>>>,
}

impl From<Run> for RunAnswer {
    fn from(run: Run) -> RunAnswer {
        let duration = run.duration().map(|took| took.as_millis() as i64);
        let of = run.deployment.environment_source();
        RunAnswer {
            id: run.id.to_string(),
            project: run.deployment.project().to_string(),
            environment: of.map(|of| of.environment.to_string()),
            source: of.map(|of| of.source.to_string()),
            version: run.version.unwrap_or(NO_VERSION),
            trigger: run.trigger,
            state: run.state,
            attempt: run.attempt,
            tick: run.tick,
            queued_at: run.queued_at,
            started_at: run.started_at,
            ended_at: run.ended_at,
            duration_ms: duration,
            objects: run.objects,
            dropped: run.dropped,
            components: Some(components(run.components.as_deref())),
            error: run.error,
            cancel_requested_at: run.cancel_requested_at,
            result: Some(run.result.and_then(|text| RawValue::from_string(text).ok())),
        }
    }
}

impl RunAnswer {
    /// The run as an item of a list.
    pub fn in_list(run: Run) -> RunAnswer {
        RunAnswer { components: None, result: None, ..RunAnswer::from(run.without_details()) }
    }
}

/// What a component of a run counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentAnswer {
    pub id: String,
    #[serde(rename = "in")]
    pub taken: u64,
    #[serde(rename = "out")]
    pub given: u64,
    pub filtered: u64,
    pub failed: u64,
    pub dropped: Vec<DroppedAnswer>,
    pub duration_ms: u64,
}

/// How many values a component lost for a reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DroppedAnswer {
    pub reason: String,
    pub count: u64,
}

impl From<ComponentCounts> for ComponentAnswer {
    fn from(counts: ComponentCounts) -> ComponentAnswer {
        ComponentAnswer {
            id: counts.id,
            taken: counts.taken,
            given: counts.given,
            filtered: counts.filtered,
            failed: counts.failed,
            dropped: counts.dropped.into_iter().map(|(reason, count)| DroppedAnswer { reason, count }).collect(),
            duration_ms: counts.micros / 1_000,
        }
    }
}

/// What components counted, as it is stored.
pub(crate) fn components(stored: Option<&str>) -> Vec<ComponentAnswer> {
    let counts: Vec<ComponentCounts> = stored.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    counts.into_iter().map(ComponentAnswer::from).collect()
}

/// Whether a key still opens anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    Live,
    Expired,
    Revoked,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyAnswer {
    pub id: String,
    pub name: Option<String>,
    pub scopes: Vec<Scope>,
    pub state: KeyState,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// The key itself, in the answer to its making and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl KeyAnswer {
    pub fn of(key: Key, now: Timestamp) -> KeyAnswer {
        KeyAnswer {
            id: key.id.to_string(),
            state: match (&key.revoked_at, key.is_live(now)) {
                (Some(_), _) => KeyState::Revoked,
                (None, true) => KeyState::Live,
                (None, false) => KeyState::Expired,
            },
            name: key.name,
            scopes: key.scopes,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
            key: None,
        }
    }
}

/// The input of operations that name nothing but a project.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfProject {
    pub project: tidemill_model::ids::ProjectId,
}

/// An empty answer: it is done.
#[derive(Debug, Serialize)]
pub struct Done {}

/// Most items of a page, and how many there are unless the caller says otherwise.
const DEFAULT_LIMIT: usize = 50;

/// Checks how many items a page shall have.
pub fn page_limit(limit: Option<u32>) -> Result<usize, crate::Error> {
    let most = tidemill_store::PAGE_LIMIT;
    match limit {
        None => Ok(DEFAULT_LIMIT),
        Some(limit) if (1..=most).contains(&(limit as usize)) => Ok(limit as usize),
        Some(limit) => Err(tidemill_model::invalid::Invalid::new(
            "limit",
            format!("`limit` is {limit}, outside 1 to {most}"),
            format!("ask for 1 to {most} items and follow `next`"),
        )
        .into()),
    }
}

/// Reads the cursor that a client sent back.
pub fn cursor(text: Option<&str>) -> Result<Option<tidemill_store::Cursor>, crate::Error> {
    Ok(text.map(tidemill_store::Cursor::decode).transpose()?)
}

/// How to reach a task.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskAnswer {
    /// Addresses the task and is a credential for it, unless its caller chose the text.
    pub token: String,
    /// May send objects, and nothing else.
    pub public_token: String,
    /// The name that people see.
    pub id: String,
    pub project: String,
    pub source: String,
    pub provider: String,
    pub run: String,
    pub state: task::State,
    /// It was there before.
    pub existing: bool,
    /// What is probably not meant with its pipeline; in the answer to opening it alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<crate::Detail>,
}

impl TaskAnswer {
    pub fn new(task: &Task, existing: bool) -> TaskAnswer {
        TaskAnswer {
            token: task.token.clone(),
            public_token: task.public_token.clone(),
            id: task.display_id(),
            project: task.deployment.project().to_string(),
            source: task.source.clone(),
            provider: task.provider.clone(),
            run: task.run.to_string(),
            state: task.state,
            existing,
            warnings: Vec::new(),
        }
    }
}

/// How a task stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskStatus {
    #[serde(skip)]
    pub token: String,
    /// What the caller addresses the task by: its token, or its run's id for callers who may only look.
    #[serde(rename = "token")]
    pub address: String,
    pub id: String,
    pub name: String,
    pub description: String,
    pub project: String,
    pub source: String,
    pub provider: String,
    pub run: String,
    pub version: u32,
    pub state: task::State,
    pub end: Option<End>,
    pub opened_at: Timestamp,
    pub used_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub ttl_seconds: u32,
    pub in_flight: u64,
    #[serde(flatten, with = "CountsAnswer")]
    pub counts: Counts,
    /// In the order of the plan, over all objects; empty until something was counted, and in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentAnswer>,
    pub errors: Vec<String>,
    pub restarts: u32,
    /// Chunks of its run's log so far.
    #[serde(skip)]
    pub log_chunks: u32,
    /// Where its run is found.
    #[serde(skip)]
    pub place: DeploymentId,
    #[serde(skip)]
    pub waits: bool,
    #[serde(skip)]
    pub trace: Trace,
    /// The object that was accepted last, and its bytes.
    #[serde(skip)]
    pub current: (String, u64),
}

impl TaskStatus {
    /// The same as far as a caller may see it.
    pub fn seen_by(self, call: &Call) -> TaskStatus {
        let address = if call.may_act() { self.address } else { self.run.clone() };
        TaskStatus { address, ..self }
    }
}

/// [`Counts`] with the names of answers.
#[derive(Serialize)]
#[serde(remote = "Counts", rename_all = "camelCase")]
struct CountsAnswer {
    total_count: u64,
    total_size: u64,
    completed_count: u64,
    completed_size: u64,
    failed_count: u64,
    failed_size: u64,
}

impl From<Task> for TaskStatus {
    fn from(mut task: Task) -> TaskStatus {
        // Objects that fail side by side each find room for their error.
        task.errors.truncate(ERRORS_LIMIT);
        TaskStatus {
            id: task.display_id(),
            address: task.token.clone(),
            token: task.token,
            name: task.name,
            description: task.description,
            project: task.deployment.project().to_string(),
            source: task.source,
            provider: task.provider,
            run: task.run.to_string(),
            version: task.version.unwrap_or(NO_VERSION),
            state: task.state,
            end: task.end,
            opened_at: task.opened_at,
            used_at: task.used_at,
            ended_at: task.ended_at,
            ttl_seconds: task.ttl_seconds,
            in_flight: task.in_flight.max(0) as u64,
            counts: task.counts,
            components: task.components.counts().iter().cloned().map(ComponentAnswer::from).collect(),
            errors: task.errors,
            restarts: task.restarts,
            log_chunks: task.log_chunks,
            place: task.deployment,
            waits: task.waits,
            trace: task.trace,
            current: (task.current_object, task.current_size),
        }
    }
}
