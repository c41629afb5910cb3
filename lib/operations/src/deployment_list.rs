//! An owner's deployments, by project.

use crate::answer::{self, DeploymentAnswer, List};
use crate::error::Error;
use crate::plane::{Call, Plane};
use serde::Deserialize;
use tidemill_model::deployment::Deployment;
use tidemill_model::key::Scope;
use tidemill_store::Page;

pub struct DeploymentList;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl crate::Operation for DeploymentList {
    const NAME: &'static str = "deployment_list";
    const SCOPE: Scope = Scope::Monitor;
    type Input = Input;
    type Output = List<DeploymentAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let limit = answer::page_limit(input.limit)?;
        let mut cursor = answer::cursor(input.cursor.as_deref())?;
        let mut items = Vec::new();
        // Tombstones and the slots of environments lie between the deployments; a page is filled up behind them.
        loop {
            let Page { items: found, next } =
                plane.store.deployments(&call.owner, cursor.as_ref(), limit - items.len()).await?;
            let is_shown = |deployment: &Deployment| !deployment.state.is_removed() && !deployment.project.is_slot();
            items.extend(found.into_iter().filter(is_shown));
            cursor = next;
            if cursor.is_none() || items.len() >= limit {
                return Ok(List::of(Page { items, next: cursor }, |deployment| {
                    DeploymentAnswer::of(plane, &deployment)
                }));
            }
        }
    }
}
