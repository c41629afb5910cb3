//! What a request says, in its header, its path and its query. A query parameter that is not known is refused.

use super::envelope::is_logical_id;
use super::refusal::Refusal;
use crate::rest::{Request, input};
use crate::route::Route;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tidemill_model::ids::{GroupName, RolloutId};
use tidemill_model::key::Scope;
use tidemill_operations::rollout::answer::RolloutAnswer;
use tidemill_operations::{Call, Error, Noun, Plane, access};

/// Who asks, if they may do what asks for a scope.
pub async fn call(plane: &Plane, request: &Request<()>, scope: impl Into<Option<Scope>>) -> Result<Call, Refusal> {
    let call = access::authenticate::run(plane, request.header("authorization"), None).await?;
    access::authenticate::check(&call, scope)?;
    Ok(call)
}

/// What the path and the query say.
pub fn parameters<T: DeserializeOwned>(route: &Route, request: Request<()>) -> Result<T, Refusal> {
    Ok(input(&request.with_body(Bytes::new()), route.query, route.path_types, crate::rest::Body::None)?)
}

/// For routes without parameters.
#[derive(Deserialize)]
pub struct NoParameters {}

/// A deployment of a project.
#[derive(Deserialize)]
pub struct DeploymentPath {
    project: String,
    deployment: String,
}

impl DeploymentPath {
    /// The id of the rollout, if it can be one.
    pub fn id(&self) -> Result<RolloutId, Refusal> {
        RolloutId::parse(self.deployment.as_str()).map_err(|_| self.unknown())
    }

    /// The rollout, if it is one of the project.
    pub fn of_project(&self, rollout: RolloutAnswer) -> Result<RolloutAnswer, Refusal> {
        if rollout.group == self.project { Ok(rollout) } else { Err(self.unknown()) }
    }

    fn unknown(&self) -> Refusal {
        Error::not_found(Noun::Deployment, self.deployment.escape_debug()).into()
    }
}

/// The group that a project is, if a project can be called so.
pub fn group(project: &str) -> Result<GroupName, Refusal> {
    let group = is_logical_id(project).then(|| GroupName::parse(project).ok()).flatten();
    let unknown = || Error::not_found(Noun::Project, project.escape_debug());
    group.ok_or_else(|| unknown().into())
}

/// Refuses a body that says of itself that it is no JSON.
pub fn is_json(request: &Request<()>) -> Result<(), Refusal> {
    let Some(given) = request.headers.get(CONTENT_TYPE) else { return Ok(()) };
    let given = given.to_str().unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    match essence.eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => {
            Err(Refusal::new(415, format!("the body is of type `{}`; send `application/json`", given.escape_debug())))
        }
    }
}
