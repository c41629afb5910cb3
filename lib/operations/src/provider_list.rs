//! The catalogue: every provider with its lanes and its config's schema.

use crate::error::Error;
use crate::plane::{Call, Plane};
use serde::{Deserialize, Serialize};
use tidemill_model::key::Scope;
use tidemill_plan::Provider;

pub struct ProviderList;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {}

/// All of them at once: there are few.
#[derive(Debug, Serialize)]
pub struct Output {
    pub items: Vec<&'static Provider>,
    pub next: Option<String>,
}

impl crate::Operation for ProviderList {
    const NAME: &'static str = "provider_list";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, _: &Call, _: Input) -> Result<Output, Error> {
        Ok(Output { items: offered(plane), next: None })
    }
}

/// Every provider that this plane has, for everybody.
pub fn offered(plane: &Plane) -> Vec<&'static Provider> {
    let is_offered = |provider: &&Provider| plane.is_local() || !provider.local_only;
    tidemill_engine::catalogue().iter().filter(is_offered).collect()
}
