//! `/next/projects`, `/next/accounts` and `/v1/runtimes`: what clients ask before they deploy.

use super::envelope::{self, is_logical_id};
use super::parameters::{NoParameters, call, group, is_json, parameters};
use super::refusal::{Refusal, answered};
use super::wire_forms::ListedProject;
use crate::rest::{self, Arriving, Request, Response};
use crate::route::Route;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tidemill_model::key::Scope;
use tidemill_operations::rollout::answer::GroupAnswer;
use tidemill_operations::{Operation, Plane, group};

/// What pipelines run on. Clients look for it among the runtimes.
const RUNTIME: &str = "tidemill";

#[derive(Deserialize)]
struct ProjectPath {
    project: String,
}

#[derive(Deserialize)]
struct AccountPath {
    account: String,
}

/// All projects that can be called so.
pub fn list<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    answered(async move {
        let call = call(plane, &request, group::List::SCOPE).await?;
        let NoParameters {} = parameters(route, request)?;
        let (mut projects, mut cursor) = (Vec::new(), None);
        loop {
            let page = group::List::run(plane, &call, group::list::Input { limit: Some(100), cursor }).await?;
            // Others have names that these clients could not ask for.
            let named = page.items.into_iter().filter(|group| is_logical_id(&group.group));
            projects.extend(named.map(ListedProject::from));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(Response::json(200, &projects));
            }
        }
    })
}

/// One project.
pub fn get<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    answered(async move {
        let call = call(plane, &request, Scope::Monitor).await?;
        let ProjectPath { project } = parameters(route, request)?;
        let group = group::get::find(plane, &call, &group(&project)?).await?;
        Ok(Response::json(200, &ListedProject::from(GroupAnswer::from(group))))
    })
}

/// Makes a project without pipelines.
pub fn add<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, body) = request.split();
    answered(async move {
        let call = call(plane, &request, group::Add::SCOPE).await?;
        is_json(&request)?;
        let NoParameters {} = parameters(route, request)?;
        let project = envelope::project(&rest::whole(body).await?)?;
        let input = group::add::Input {
            group: group(&project.logical_id)?,
            title: Some(project.name),
            repository: project.repo_url,
        };
        Ok(Response::json(201, &ListedProject::from(group::Add::run(plane, &call, input).await?)))
    })
}

/// The caller's account, under any id: a key says by itself whose it is.
pub fn account<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    answered(async move {
        let call = call(plane, &request, Scope::Monitor).await?;
        let AccountPath { account } = parameters(route, request)?;
        let shown = json!({"id": account, "name": call.owner, "runtimeId": RUNTIME, "features": []});
        Ok(Response::json(200, &shown))
    })
}

pub fn runtimes<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    answered(async move {
        call(plane, &request, Scope::Monitor).await?;
        let NoParameters {} = parameters(route, request)?;
        let runtime = json!({
            "name": RUNTIME,
            "stage": "CURRENT",
            "runtimeEndOfLife": null,
            "description": "What pipelines run on.",
            "dependencies": {},
        });
        Ok::<_, Refusal>(Response::json(200, &[runtime]))
    })
}
