//! A project's versions, newest first; also those of a removed deployment.

use crate::answer::{self, ListAnswer, VersionAnswer};
use crate::error::Error;
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use serde::Deserialize;
use tidemill_model::ids::ProjectId;
use tidemill_model::key::Scope;

pub struct List;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl crate::Operation for List {
    const NAME: &'static str = "version_list";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = ListAnswer<VersionAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let limit = answer::page_limit(input.limit)?;
        let cursor = answer::cursor(input.cursor.as_deref())?;
        let page = plane.store.versions(&call.owner, &input.project, cursor.as_ref(), limit).await?;
        if page.items.is_empty() && cursor.is_none() {
            return Err(Error::not_found(Noun::Project, &input.project));
        }
        Ok(ListAnswer::of(page, VersionAnswer::from))
    }
}
