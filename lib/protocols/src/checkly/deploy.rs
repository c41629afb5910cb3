//! `POST /v1/projects/deploy` and `DELETE /v1/projects/{project}`: what begins a deployment, and what only shows what one
//! would do.

use super::parameters::{call, group, is_json, parameters};
use super::refusal::{Refusal, answered};
use super::wire_forms::{Deployment, Entry, Outcomes, Project};
use super::{envelope, inflated};
use crate::rest::{Arriving, Request, Response};
use crate::route::Route;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tidemill_model::key::Scope;
use tidemill_model::rollout::Gone;
use tidemill_operations::rollout::{
    self,
    answer::RolloutAnswer,
    begin::{RolloutRefusal, StartedRollout},
    preview::GroupPreview,
};
use tidemill_operations::{Answer, Call, Code, Plane, group};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeployQuery {
    #[serde(default)]
    dry_run: bool,
    #[serde(default = "yes")]
    schedule_on_deploy: bool,
    #[serde(default)]
    preserve_resources: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DestroyQuery {
    project: String,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    preserve_resources: bool,
}

fn yes() -> bool {
    true
}

/// Begins to deploy a project, or shows what that would do.
pub fn deploy<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, body) = request.split();
    answered(async move {
        let given: DeployQuery = parameters(route, request.clone())?;
        let call = call(plane, &request, if given.dry_run { Scope::Monitor } else { Scope::Control }).await?;
        is_json(&request)?;
        let body = inflated::body(&request, body).await?;
        let request = rollout::request::Request {
            gone: if given.preserve_resources { Gone::Keep } else { Gone::Prune },
            paused: !given.schedule_on_deploy,
            ..envelope::read(&body)?
        };
        match given.dry_run {
            true => preview(plane, &call, &request).await,
            false => Ok(begun(rollout::start::start(plane, &call, request).await)?),
        }
    })
}

/// Begins to destroy a project. One that is not there is destroyed already.
pub fn destroy<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    answered(async move {
        let call = call(plane, &request, Scope::Control).await?;
        let given: DestroyQuery = parameters(route, request)?;
        if given.dry_run {
            return Err(Refusal::new(
                400,
                "a project is not destroyed on trial; leave out `dryRun`, or deploy nothing with it",
            ));
        }
        let input = group::remove::Input { group: group(&given.project)?, keep: given.preserve_resources };
        match group::remove::remove(plane, &call, input).await {
            Err(RolloutRefusal::Error(error)) if error.code == Code::NotFound => {
                Ok(Response::json(200, &json!({"diff": []})))
            }
            removed => begun(removed),
        }
    })
}

fn begun(begun: Result<Answer<StartedRollout>, RolloutRefusal>) -> Result<Response, Refusal> {
    match begun {
        // The clients know no warnings.
        Ok(Answer::Now(StartedRollout { rollout, .. })) => {
            Ok(Response::json(202, &Deployment::of(RolloutAnswer::of(rollout), None)))
        }
        // These requests have no idempotency key.
        Ok(Answer::Before(earlier)) => Ok(Response::json(202, &earlier)),
        Err(RolloutRefusal::GroupBusy(active)) => Err(Refusal::held(active.id.to_string())),
        Err(RolloutRefusal::Error(error)) => Err(error.into()),
    }
}

async fn preview(plane: &Plane, call: &Call, request: &rollout::request::Request) -> Result<Response, Refusal> {
    let GroupPreview { name, group, changes } = rollout::preview::preview(plane, call, request).await?;
    let problems = changes.iter().filter_map(|change| Some((&change.logical_id, change.problem.as_ref()?)));
    let problems: Vec<String> = problems.map(|(id, problem)| format!("`{id}`: {problem}")).collect();
    if !problems.is_empty() {
        // An answer in the form of a success would have it that the deploy succeeds.
        return Err(Refusal::new(400, format!("the deploy would fail: {}", problems.join("\n"))));
    }
    let before = group.map(Project::from);
    let project = Project {
        id: name.to_string(),
        logical_id: name.to_string(),
        name: request.title.clone().unwrap_or_else(|| name.to_string()),
        repo_url: request.repository.clone(),
        created_at: before.as_ref().map_or(call.now, |before| before.created_at),
        updated_at: before.and_then(|before| before.updated_at),
    };
    Ok(Response::json(200, &Outcomes::of(project, changes.into_iter().map(Entry::from).collect())))
}
