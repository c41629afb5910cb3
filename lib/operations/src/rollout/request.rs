//! The request of a rollout. Its structure and its pipelines are checked when the rollout starts, and again when it runs:
//! another version of the plane may carry it out.

use crate::deployment::{
    self,
    definition::{Definition, SettingsGiven},
};
use crate::error::{Code, Detail, Error};
use crate::hint::Hint;
use crate::plane::Plane;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;
use tidemill_model::deployment::{Deployment, Settings, checked_note};
use tidemill_model::git::Git;
use tidemill_model::ids::{GroupName, LogicalId, ProjectId, nameable};
use tidemill_model::invalid::Invalid;
use tidemill_model::pipeline::members;
use tidemill_model::pipeline::written::json_of;
use tidemill_model::rollout::{Gone, KIND_LIMIT, RESOURCES_LIMIT, checked_names};
use tidemill_model::schedule::Schedule;
use tidemill_plan::Start;
use tidemill_store::BODY_LIMIT;

/// The kind of a resource unless its caller says otherwise.
pub const PIPELINE: &str = "pipeline";

/// Problems that one answer lists; the others are counted.
const LISTED: usize = 100;
/// What is to be brought live, as a caller sends it and as it is stored.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// What the pipelines belong together under. A single pipeline that is rolled out by itself needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// What people call the group; its name, unless it has another one already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where the group's pipelines are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    #[serde(default)]
    pub pipelines: Vec<PipelineRequest>,
    /// What becomes of members that are not named.
    #[serde(default)]
    pub gone: Gone,
    /// The pipelines are not all that there is of the group: none of the others is gone, and none becomes a member.
    #[serde(default)]
    pub partial: bool,
    /// One that is deployed already fails the rollout.
    #[serde(default, skip_serializing_if = "is_false")]
    pub create_only: bool,
    /// Deployments that are new begin paused.
    #[serde(default)]
    pub paused: bool,
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
}

/// A pipeline that is to be live. What is absent stays as it is, or as it is by default.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineRequest {
    /// What the group knows it by; its project, unless its caller has another name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<LogicalId>,
    /// What the caller calls the kind of thing that it is.
    #[serde(rename = "type", default = "pipeline_kind")]
    pub kind: String,
    /// As it is to be stored, to the byte.
    pub pipeline: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_up_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `serde` hands it a reference.
pub(crate) fn is_false(given: &bool) -> bool {
    !given
}

/// Reads an object alone: a list of its fields' values would do, too.
fn object<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Git>, D::Error> {
    let fields: Option<serde_json::Map<String, Value>> = Deserialize::deserialize(deserializer)?;
    fields.map(|fields| serde_json::from_value(fields.into())).transpose().map_err(serde::de::Error::custom)
}

fn pipeline_kind() -> String {
    PIPELINE.to_owned()
}

/// A resource of a rollout by its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceName {
    pub logical_id: LogicalId,
    pub kind: String,
    pub project: ProjectId,
}

/// A pipeline with its settings, checked as far as it can be without the table.
pub struct CheckedPipeline {
    pub named: ResourceName,
    pub definition: Definition,
    pub note: Option<String>,
    schedule: Option<String>,
    timezone: Option<String>,
    settings: SettingsGiven,
}

impl Request {
    /// Checks the structure, and names the resources in their order. All that is wrong is reported at once.
    pub fn named(&self) -> Result<Vec<ResourceName>, Error> {
        if self.pipelines.len() > RESOURCES_LIMIT {
            let message = format!("{} pipelines are too many, the limit is {RESOURCES_LIMIT}", self.pipelines.len());
            return Err(Invalid::new("pipelines", message, "roll them out as several groups").into());
        }
        let mut problems: Vec<Detail> = Vec::new();
        if let Err(invalid) = checked_names(self.title.as_deref(), self.repository.as_deref()) {
            problems.extend(Error::from(invalid).details);
        }
        if let Some(Err(invalid)) = self.group.as_ref().map(|group| nameable("group", group.as_str())) {
            problems.extend(Error::from(invalid).details);
        }
        let mut named = Vec::new();
        for (index, wanted) in self.pipelines.iter().enumerate() {
            match wanted.named() {
                Ok(one) => named.push(one),
                Err(invalid) => problems.push(problem(index, wanted, invalid)),
            }
        }
        let mut logical: HashMap<&LogicalId, usize> = HashMap::new();
        let mut projects: HashMap<&ProjectId, usize> = HashMap::new();
        for one in &named {
            *logical.entry(&one.logical_id).or_default() += 1;
            *projects.entry(&one.project).or_default() += 1;
        }
        let twice = |what: &str, name: &str| Detail {
            component: None,
            field: Some("pipelines".to_owned()),
            message: format!("{what} `{name}` is there more than once"),
            hint: Some("give each pipeline its own".to_owned()),
        };
        problems.extend(logical.iter().filter(|(_, count)| **count > 1).map(|(id, _)| twice("the id", id.as_str())));
        let doubled = projects.iter().filter(|(_, count)| **count > 1);
        problems.extend(doubled.map(|(id, _)| twice("the project", id.as_str())));
        match problems.is_empty() {
            true => Ok(named),
            false => Err(wrong(problems)),
        }
    }

    /// The group, which a single pipeline by itself need not name.
    pub fn group(&self, named: &[ResourceName]) -> Result<GroupName, Error> {
        match (&self.group, named) {
            (Some(group), _) => Ok(group.clone()),
            (None, [only]) if self.partial => Ok(GroupName::parse(only.project.as_str())?),
            (None, _) => Err(Invalid::new(
                "group",
                "the rollout names no group",
                "name what its pipelines belong together under, or roll out one of them with `partial`",
            )
            .into()),
        }
    }

    /// The request as it is stored.
    pub fn stored(&self) -> Result<Vec<u8>, Error> {
        let body = serde_json::to_vec(self).map_err(Error::internal)?;
        if body.len() > BODY_LIMIT {
            let message = format!("the rollout has {} bytes, the limit is {BODY_LIMIT}", body.len());
            return Err(Error::new(Code::TooLarge, message).hint("roll the pipelines out as several groups"));
        }
        Ok(body)
    }

    /// Compiles every pipeline; those that cannot run are reported all at once, by their index.
    pub fn checked(&self, plane: &Plane, named: &[ResourceName]) -> Result<Vec<CheckedPipeline>, Vec<(u32, Error)>> {
        let mut checked = Vec::new();
        let mut problems = Vec::new();
        for (index, (wanted, named)) in self.pipelines.iter().zip(named).enumerate() {
            match wanted.checked(plane, named) {
                Ok(one) => checked.push(one),
                Err(error) => problems.push((index as u32, error)),
            }
        }
        match problems.is_empty() {
            true => Ok(checked),
            false => Err(problems),
        }
    }
}

impl PipelineRequest {
    fn named(&self) -> Result<ResourceName, Invalid> {
        let missing = |what: &'static str, hint: &'static str| Invalid::new("pipeline", what, hint);
        if !self.pipeline.get().starts_with('{') {
            return Err(missing("the pipeline is not an object", "send the pipeline as it is"));
        }
        let (pipeline, _) =
            json_of(&self.pipeline).map_err(|problem| Invalid::new("pipeline", problem.message, problem.hint))?;
        let project: Option<Value> =
            members::member(&pipeline, "project_id").and_then(|text| serde_json::from_str(text).ok());
        let Some(Value::String(project)) = project else {
            return Err(missing("the pipeline has no `project_id`", "give it one; it names the deployment"));
        };
        if members::member(&pipeline, "components").is_none_or(|components| !components.starts_with('[')) {
            return Err(missing("the pipeline has no list `components`", "give it its components"));
        }
        let kind = self.kind.chars().count();
        if !(1..=KIND_LIMIT).contains(&kind) {
            let message = format!("`type` has {kind} characters, 1 to {KIND_LIMIT} are allowed");
            return Err(Invalid::new("type", message, "give it a short name, or none"));
        }
        nameable("project", &project)?;
        let project = ProjectId::parse(project)?;
        let logical_id = match &self.id {
            Some(id) => {
                nameable("logical", id.as_str())?;
                id.clone()
            }
            None => LogicalId::parse(project.as_str())?,
        };
        Ok(ResourceName { logical_id, kind: self.kind.clone(), project })
    }

    fn checked(&self, plane: &Plane, named: &ResourceName) -> Result<CheckedPipeline, Error> {
        let settings = SettingsGiven {
            catch_up_seconds: self.catch_up_seconds,
            max_attempts: self.max_attempts,
            timeout_seconds: self.timeout_seconds,
        };
        let schedule =
            deployment::definition::schedule(self.schedule.as_deref(), self.timezone.as_deref(), &Schedule::MANUAL);
        let start = match (&self.schedule, &schedule) {
            (Some(_), Ok(schedule)) => deployment::definition::start_on(schedule),
            // It may stay as it is.
            _ => Start::Unknown,
        };
        let mut problems = Vec::new();
        let mut note = |error: Error| problems.extend(error.listed());
        let definition = Definition::compile(plane, &self.pipeline, start).map_err(&mut note).ok();
        schedule.map_err(&mut note).ok();
        settings.over(Settings::default()).map_err(&mut note).ok();
        let kept = checked_note(self.note.clone()).map_err(|invalid| note(invalid.into())).ok();
        match (definition, kept, problems.is_empty()) {
            (Some(definition), Some(note), true) => Ok(CheckedPipeline {
                named: named.clone(),
                definition,
                note,
                schedule: self.schedule.clone(),
                timezone: self.timezone.clone(),
                settings,
            }),
            _ => Err(wrong(problems)),
        }
    }
}

impl CheckedPipeline {
    /// What is probably not meant, if this is when it is due: the request may have left the schedule as it is.
    pub fn warnings_on(&self, plane: &Plane, schedule: &Schedule) -> Result<Vec<Detail>, Error> {
        if self.schedule.is_some() {
            return Ok(self.definition.warnings());
        }
        let text = RawValue::from_string(self.definition.pipeline.text().to_owned()).map_err(Error::internal)?;
        Ok(Definition::compile(plane, &text, deployment::definition::start_on(schedule))?.warnings())
    }

    /// The schedule and the settings over those from before.
    pub fn over(&self, before: Option<&Deployment>) -> Result<(Schedule, Settings), Error> {
        let manual = Schedule::MANUAL;
        let schedule = before.map_or(&manual, |before| &before.schedule);
        let schedule = deployment::definition::schedule(self.schedule.as_deref(), self.timezone.as_deref(), schedule)?;
        let settings = self.settings.over(before.map(|before| before.settings).unwrap_or_default())?;
        Ok((schedule, settings))
    }
}

fn problem(index: usize, wanted: &PipelineRequest, invalid: Invalid) -> Detail {
    let name = wanted.id.as_ref().map(|id| format!("`{id}`: ")).unwrap_or_default();
    Detail {
        component: None,
        field: Some(format!("pipelines[{index}]")),
        message: format!("{name}{}", invalid.message),
        hint: Some(invalid.hint),
    }
}

fn wrong(details: Vec<Detail>) -> Error {
    let message = match details.as_slice() {
        [only] => only.message.clone(),
        several => format!("the request has {} problems", several.len()),
    };
    several_problems(message, details)
}

/// The first of many problems or warnings, and how many more there are.
pub(crate) fn bounded(details: Vec<Detail>) -> Vec<Detail> {
    let count = details.len();
    let mut details: Vec<Detail> = details.into_iter().take(LISTED).collect();
    if count > LISTED {
        let message = format!("and {} more problems", count - LISTED);
        details.push(Detail { component: None, field: None, message, hint: None });
    }
    details
}

/// Several problems in one error.
pub fn several_problems(message: String, details: Vec<Detail>) -> Error {
    let details = bounded(details);
    let hint = match details.as_slice() {
        [only] => only.hint.clone().map(Hint::Words),
        _ => Some(Hint::FixDetails),
    };
    let mut error = Error::new(Code::InvalidArgument, message).details(details);
    error.hint = hint;
    error
}
