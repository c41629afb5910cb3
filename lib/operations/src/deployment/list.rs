//! An owner's deployments, by project.

use crate::answer::{self, DeploymentAnswer, ListAnswer};
use crate::deployment::definition::pipeline_of;
use crate::error::Error;
use crate::plane::{Call, Plane};
use serde::Deserialize;
use std::collections::HashMap;
use tidemill_model::deployment::Deployment;
use tidemill_model::key::Scope;
use tidemill_store::Page;

pub struct List;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl crate::Operation for List {
    const NAME: &'static str = "deployment_list";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = ListAnswer<DeploymentAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let page = page(plane, call, input).await?;
        Ok(ListAnswer::of(page, |deployment| DeploymentAnswer::of(plane, &deployment)))
    }
}

async fn page(plane: &Plane, call: &Call, input: Input) -> Result<Page<Deployment>, Error> {
    let limit = answer::page_limit(input.limit)?;
    let mut cursor = answer::cursor(input.cursor.as_deref())?;
    let mut items = Vec::new();
    // Tombstones and the sources of environments lie between the deployments; a page is filled up behind them.
    loop {
        let Page { items: found, next } =
            plane.store.deployments(&call.owner, cursor.as_ref(), limit - items.len()).await?;
        let is_shown = |deployment: &Deployment| !deployment.state.is_removed() && deployment.id.is_project();
        items.extend(found.into_iter().filter(is_shown));
        cursor = next;
        if cursor.is_none() || items.len() >= limit {
            return Ok(Page { items, next: cursor });
        }
    }
}

/// A page with the pipelines: three reads, and one more for each pipeline that does not fit into one item.
pub async fn with_pipelines(plane: &Plane, call: &Call, input: Input) -> Result<ListAnswer<DeploymentAnswer>, Error> {
    let page = page(plane, call, input).await?;
    let live: Vec<_> = page.items.iter().map(|one| (one.id.project().clone(), one.version)).collect();
    let versions = plane.store.versions_of(&call.owner, &live).await?;
    let names: HashMap<_, _> = versions.into_iter().map(|one| (one.project, one.sha256)).collect();
    let wanted: Vec<_> = names.clone().into_iter().collect();
    let mut bodies = plane.store.bodies(&call.owner, &wanted).await?;
    let mut items = Vec::new();
    for deployment in &page.items {
        let name =
            names.get(deployment.id.project()).ok_or_else(|| Error::internal("a deployment's version is missing"))?;
        let body = bodies.remove(&(deployment.id.project().clone(), name.clone()));
        let pipeline = pipeline_of(body, name)?;
        items.push(DeploymentAnswer { pipeline: Some(pipeline), ..DeploymentAnswer::of(plane, deployment) });
    }
    Ok(ListAnswer { items, next: page.next.as_ref().map(|cursor| cursor.encode()) })
}
