//! `/v1/projects/{project}/deployments`: a deployment that is there is shown, waited for, followed and cancelled.

use super::parameters::{DeploymentPath, call, group, parameters};
use super::refusal::{Refusal, answered};
use super::wire_forms::{Deployment, Project};
use crate::rest::{Arriving, Request, Response, RestResponse};
use crate::route::Route;
use crate::sse::{self, Frame, followed};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::key::Scope;
use tidemill_operations::rollout::{
    self, answer::RolloutAnswer, follow::follow, get::Input, wait::LONGEST, watches::Snapshot,
};
use tidemill_operations::{Call, Code, Operation, Plane, group};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WaitQuery {
    #[serde(flatten)]
    of: DeploymentPath,
    max_wait_seconds: Option<u64>,
}

#[derive(Deserialize)]
struct ListQuery {
    project: String,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A deployment's progress.
#[derive(PartialEq, Serialize)]
struct Progress {
    status: String,
    progress: u8,
}

/// The deployments of a project, newest first, without what they did.
pub fn list<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    answered(async move {
        let call = call(plane, &request, Scope::Monitor).await?;
        let ListQuery { project, limit, cursor } = parameters(route, request)?;
        let input = rollout::list::Input { group: Some(group(&project)?), limit, cursor };
        let list = rollout::List::run(plane, &call, input).await?;
        let items: Vec<_> = list.items.into_iter().map(|rollout| Deployment::of(rollout, None)).collect();
        Ok(Response::json(200, &json!({"items": items, "next": list.next})))
    })
}

/// One deployment.
pub fn get<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    answered(async move {
        let call = call(plane, &request, rollout::Get::SCOPE).await?;
        let given: DeploymentPath = parameters(route, request)?;
        let rollout = rollout::Get::run(plane, &call, Input { rollout: given.id()? }).await?;
        shown(plane, &call, given.of_project(rollout)?).await
    })
}

/// The deployment at its end, or 408 if that is not in time.
pub fn completion<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    answered(async move {
        let call = call(plane, &request, rollout::wait::SCOPE).await?;
        let WaitQuery { of, max_wait_seconds } = parameters(route, request)?;
        let longest = max_wait_seconds.map_or(LONGEST, Duration::from_secs);
        let snapshot = rollout::wait::wait(plane, &call, &of.id()?, longest).await?;
        let is_final = snapshot.rollout.state.is_final();
        let rollout = of.of_project(answer(&snapshot))?;
        match is_final {
            true => shown(plane, &call, rollout).await,
            false => Err(Refusal::new(408, "the deployment is still in progress; ask again")),
        }
    })
}

/// Asks a deployment to stop.
pub fn cancel<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    answered(async move {
        let call = call(plane, &request, rollout::Cancel::SCOPE).await?;
        let given: DeploymentPath = parameters(route, request)?;
        let rollout = given.id()?;
        // It must be known to be of the project before it is stopped.
        let found = rollout::get::find(plane, &call, &rollout).await?;
        given.of_project(RolloutAnswer::of(found))?;
        let cancelled = rollout::Cancel::run(plane, &call, Input { rollout }).await?;
        Ok(Response::json(200, &Deployment::of(cancelled, None)))
    })
}

/// Streams a deployment until it has ended.
pub fn events<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<()>) -> BoxFuture<'a, RestResponse> {
    Box::pin(async move {
        match begin(plane, route, request).await {
            Ok(answered) => answered,
            Err(refusal) => refusal.response().into(),
        }
    })
}

async fn begin(plane: &Arc<Plane>, route: &Route, request: Request<()>) -> Result<RestResponse, Refusal> {
    let call = call(plane, &request, rollout::wait::SCOPE).await?;
    let given: DeploymentPath = parameters(route, request)?;
    let following = follow(plane, &call, &given.id()?).await?;
    let rollout = RolloutAnswer::of(following.borrow().rollout.clone());
    let project = project(plane, &call, &given.of_project(rollout)?).await?;
    Ok(RestResponse::Stream(sse::streamed(followed(following, sender(project)))))
}

/// Sends of each snapshot how far the deployment is, if that has changed, and its end.
fn sender(project: Project) -> impl FnMut(&Snapshot) -> Vec<Frame> + Send + 'static {
    let mut before = None;
    move |snapshot| {
        let rollout = &snapshot.rollout;
        if rollout.state.is_final() {
            return vec![Frame::new("complete", &Deployment::of(answer(snapshot), Some(&project)))];
        }
        let now = Progress { status: rollout.state.as_str().to_uppercase(), progress: rollout.progress };
        let is_news = before.as_ref() != Some(&now);
        let frames = is_news.then(|| Frame::new("progress", &now).with_id(rollout.settled.into()));
        before = Some(now);
        Vec::from_iter(frames)
    }
}

/// A rollout with what became of its resources.
fn answer(snapshot: &Snapshot) -> RolloutAnswer {
    let items = snapshot.resources.as_ref().clone();
    RolloutAnswer { items: Some(items), ..RolloutAnswer::of(snapshot.rollout.clone()) }
}

async fn shown(plane: &Plane, call: &Call, rollout: RolloutAnswer) -> Result<Response, Refusal> {
    let project = project(plane, call, &rollout).await?;
    Ok(Response::json(200, &Deployment::of(rollout, Some(&project))))
}

/// The project of a deployment, which may be destroyed by now.
async fn project(plane: &Plane, call: &Call, rollout: &RolloutAnswer) -> Result<Project, Refusal> {
    match group::get::find(plane, call, &group(&rollout.group)?).await {
        Ok(group) => Ok(group.into()),
        Err(error) if error.code == Code::NotFound => Ok(Project::destroyed(rollout)),
        Err(error) => Err(error.into()),
    }
}
