//! An owner's environments by name and project: all of them, or those of one name or of one project.

use crate::answer::{self, ListAnswer};
use crate::environment::get::{EnvironmentAnswer, joined};
use crate::error::Error;
use crate::plane::{Call, Plane};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use tidemill_model::environment::{Environment, State};
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::key::Scope;
use tidemill_store::Page;

/// Environments whose version and sources are read at the same time.
const READ_AT_ONCE: usize = 16;

pub struct List;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub environment: Option<EnvironmentName>,
    pub project: Option<ProjectId>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl crate::Operation for List {
    const NAME: &'static str = "environment_list";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = ListAnswer<EnvironmentAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let limit = answer::page_limit(input.limit)?;
        let cursor = answer::cursor(input.cursor.as_deref())?;
        let page = plane.store.environments(&call.owner, input.environment.as_ref(), cursor.as_ref(), limit).await?;
        // Removed ones and other projects leave their places free: a page may be short, and is the last only without
        // `next`.
        let is_of_project = |found: &ProjectId| input.project.as_ref().is_none_or(|project| found == project);
        let is_shown = |one: &Environment| one.state != State::Removed && is_of_project(&one.project);
        let shown = page.items.into_iter().filter(is_shown);
        let joined = shown.map(|environment| joined(plane, call, environment)).collect::<Vec<_>>();
        let items = stream::iter(joined).buffered(READ_AT_ONCE).try_collect().await?;
        Ok(ListAnswer::of(Page { items, next: page.next }, |answer| answer))
    }
}

/// The names of an owner's environments. `production` is always one, and the first.
pub async fn names(plane: &Plane, call: &Call) -> Result<Vec<EnvironmentName>, Error> {
    let production = EnvironmentName::parse(EnvironmentName::PRODUCTION)?;
    let mut names = plane.store.environment_names(&call.owner).await?;
    names.retain(|name| *name != production);
    names.insert(0, production);
    Ok(names)
}
