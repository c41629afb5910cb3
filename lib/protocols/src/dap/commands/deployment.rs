//! `rrext_deploy_add|remove|list|status|update`: the operations of deployments in the words of RocketRide's clients.

use super::arguments::project;
use super::{CommandRequest, body, done, seconds};
use crate::dap::failure::Failure;
use crate::dap::frame::{Body, FRAME_LIMIT};
use serde::Serialize;
use serde_json::value::RawValue;
use tidemill_model::deployment::Status;
use tidemill_model::ids::ProjectId;
use tidemill_model::invalid::Invalid;
use tidemill_model::pipeline::members;
use tidemill_model::schedule::Schedule;
use tidemill_operations::answer::{DeploymentAnswer, OfProject};
use tidemill_operations::{Call, Code, Error, Operation, Plane, deployment};

/// A deployment as the clients know it. A member more or less would be another record.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    pipeline: &'a RawValue,
    schedule: &'a str,
    state: Status,
    user_id: &'a str,
    created_at: f64,
    updated_at: f64,
}

impl Record<'_> {
    fn body(call: &Call, answer: &DeploymentAnswer, pipeline: &RawValue) -> Result<Box<RawValue>, Failure> {
        let record = Record {
            pipeline,
            schedule: &answer.schedule,
            state: answer.state,
            user_id: call.owner.as_str(),
            created_at: seconds(answer.created_at),
            updated_at: seconds(answer.updated_at),
        };
        Ok(serde_json::value::to_raw_value(&record).map_err(Error::internal)?)
    }
}

pub async fn add(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, mut arguments, .. } = request;
    let pipeline = arguments.take("pipeline").filter(|pipeline| !members::is_empty(pipeline));
    let pipeline = object(pipeline.ok_or_else(|| Failure::new("pipeline is required"))?)?;
    let Some(project) = members::member(&pipeline, "project_id").filter(|id| !matches!(*id, "null" | "\"\"")) else {
        return Err(Failure::new("pipeline.project_id is required"));
    };
    let project: Option<String> = serde_json::from_str(project).ok();
    let input = deployment::add::Input {
        pipeline: pipeline.clone(),
        schedule: arguments.text("schedule")?,
        timezone: None,
        catch_up_seconds: None,
        max_attempts: None,
        timeout_seconds: None,
        note: None,
    };
    let added = deployment::Add::run(&plane, &call, input).await.map_err(|error| match (error.code, project) {
        (Code::AlreadyExists, Some(project)) => {
            Failure::new(format!("Deployment already exists: {project}")).code(Code::AlreadyExists)
        }
        _ => error.into(),
    })?;
    let answer = added.now().ok_or_else(|| Error::internal("an add without an idempotency key was repeated"))?;
    Record::body(&call, &answer, &pipeline).map(Some)
}

pub async fn remove(request: CommandRequest) -> Result<Body, Failure> {
    let project = project(&request.arguments)?;
    deployment::Remove::run(&request.plane, &request.call, OfProject { project }).await?;
    done()
}

pub async fn status(request: CommandRequest) -> Result<Body, Failure> {
    let project = project(&request.arguments)?;
    read(&request.plane, &request.call, project).await.map(Some)
}

/// All of the caller's deployments: this wire has no pages.
pub async fn list(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, .. } = &request;
    let (mut records, mut size, mut cursor) = (Vec::new(), 0, None);
    loop {
        let input = deployment::list::Input { limit: Some(100), cursor, ..Default::default() };
        let page = deployment::list::with_pipelines(plane, call, input).await?;
        for mut answer in page.items {
            let record = record(call, &mut answer)?;
            size += record.get().len();
            records.push(record);
        }
        if size > FRAME_LIMIT {
            let message = "the deployments are more than the 250 MiB of a frame; use `GET /v1/deployments`";
            return Err(Failure::new(message).code(Code::TooLarge));
        }
        cursor = page.next;
        if cursor.is_none() {
            return body(&Records { deployments: records });
        }
    }
}

#[derive(Serialize)]
struct Records {
    deployments: Vec<Box<RawValue>>,
}

pub async fn update(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, mut arguments, .. } = request;
    let project = project(&arguments)?;
    let pipeline = match arguments.take("pipeline") {
        Some(pipeline) => Some(addressed(object(pipeline)?, &project)?),
        None => None,
    };
    let schedule = match arguments.raw("schedule") {
        Some(_) => Some(arguments.text("schedule")?.ok_or_else(|| Failure::new("schedule must be a string"))?),
        None => None,
    };
    if let Some(text) = &schedule {
        // Before the operation does, which looks for the deployment first.
        Schedule::parse(text)
            .map_err(|error| Error::from(Invalid::new("schedule", error.to_string(), error.hint())))?;
    }
    let input = deployment::update::Input {
        project,
        pipeline,
        schedule,
        timezone: None,
        catch_up_seconds: None,
        max_attempts: None,
        timeout_seconds: None,
        note: None,
        revision: None,
    };
    deployment::Update::run(&plane, &call, input).await?;
    done()
}

async fn read(plane: &Plane, call: &Call, project: ProjectId) -> Result<Box<RawValue>, Failure> {
    record(call, &mut deployment::Get::run(plane, call, OfProject { project }).await?)
}

fn record(call: &Call, answer: &mut DeploymentAnswer) -> Result<Box<RawValue>, Failure> {
    let pipeline = answer.pipeline.take().ok_or_else(|| Error::internal("a deployment has no pipeline"))?;
    Record::body(call, answer, &pipeline)
}

fn object(pipeline: Box<RawValue>) -> Result<Box<RawValue>, Failure> {
    match pipeline.get().starts_with('{') {
        true => Ok(pipeline),
        false => Err(Failure::new("pipeline must be an object")),
    }
}

/// The pipeline under the project that the update addresses, whatever it calls itself.
fn addressed(pipeline: Box<RawValue>, project: &ProjectId) -> Result<Box<RawValue>, Failure> {
    let id = serde_json::to_string(project).map_err(Error::internal)?;
    if members::member(&pipeline, "project_id") == Some(id.as_str()) {
        return Ok(pipeline);
    }
    members::set_member(&pipeline, "project_id", &id).ok_or_else(|| Failure::new("pipeline must be an object"))
}
