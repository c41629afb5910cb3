//! Versions in the words of RocketRide's newer clients, who call them artifacts.

use super::arguments::{optional, project, text};
use super::page;
use super::team::{self, actor};
use super::{CommandRequest, body, environment, seconds};
use crate::dap::failure::Failure;
use crate::dap::frame::{Arguments, Body, shown};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use tidemill_model::pipeline::members;
use tidemill_operations::answer::VersionAnswer;
use tidemill_operations::{Answer, Call, Code, Error, Operation, version};

pub async fn add(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, mut arguments, .. } = request;
    match arguments.text("kind")?.as_deref() {
        None | Some("" | "pipe") => {}
        Some(kind) => {
            return Err(Failure::new(format!("Unsupported kind '{}': only 'pipe' is deployed here", shown(kind))));
        }
    }
    let pipeline = arguments.take("pipeline").filter(|pipeline| !members::is_empty(pipeline));
    let pipeline = pipeline.ok_or_else(|| Failure::new("pipeline is required"))?;
    if !pipeline.get().starts_with('{') {
        return Err(Failure::new("pipeline must be an object"));
    }
    for name in ["project_id", "name"] {
        if members::member(&pipeline, name).is_none_or(|value| matches!(value, "null" | "\"\"")) {
            return Err(Failure::new(format!("pipeline.{name} is required")));
        }
    }
    if members::member(&pipeline, "name").is_some_and(|name| !name.starts_with('"')) {
        return Err(Failure::new("pipeline.name must be a text"));
    }
    let environment = match text(&arguments, "deployTo")? {
        Some(team) => Some(team::environment(&call, &team)?),
        None => None,
    };
    let note = text(&arguments, "comment")?;
    let input = version::add::Input { project: None, pipeline, note, environment };
    let added = answered(version::Add::run(&plane, &call, input).await?)?;
    let mut answer = json!({"artifact": artifact_of(&call, &added.version), "orgId": call.owner});
    if let Some(environment) = &added.environment {
        answer["deployment"] = environment::deployment(&call, environment);
    }
    body(&answer)
}

pub async fn list(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = request;
    let project = project(&arguments)?;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let input = version::list::Input { project: project.clone(), limit: Some(100), cursor };
        let page = match version::List::run(&plane, &call, input).await {
            // A project without versions is an empty list on this wire.
            Err(error) if error.code == Code::NotFound => break,
            page => page?,
        };
        found.extend(page.items.iter().map(|version| artifact_of(&call, version)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    page::page(found, &arguments, &["pipelineName", "comment"])
}

pub async fn get(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = request;
    let input = version::get::Input { project: project(&arguments)?, version: number(&arguments)? };
    let found = version::Get::run(&plane, &call, input).await?;
    Ok(found.pipeline)
}

/// The answer of a request without an idempotency key, which cannot have been answered before.
pub fn answered<T>(answer: Answer<T>) -> Result<T, Failure> {
    answer.now().ok_or_else(|| Error::internal("an answer of no idempotency key").into())
}

pub fn number(arguments: &Arguments) -> Result<u32, Failure> {
    let form = format!("a whole number from 1 to {}", u32::MAX);
    let number: Option<NonZeroU32> = optional(arguments, "version", &form)?;
    number.map(NonZeroU32::get).ok_or_else(|| Failure::new("version is required"))
}

fn artifact_of(call: &Call, version: &VersionAnswer) -> Value {
    json!({
        "version": version.version,
        "sha256": version.sha256,
        "bytes": version.bytes,
        "pipelineName": version.name,
        "publishedBy": actor(call),
        "publishedAt": seconds(version.created_at),
        "comment": version.note.as_deref().unwrap_or_default(),
    })
}
