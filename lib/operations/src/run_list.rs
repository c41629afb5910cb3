//! Runs, newest first: of one project, or of all of an owner's.

use crate::answer::{self, List, RunAnswer};
use crate::error::Error;
use crate::plane::{Call, Plane};
use jiff::Timestamp;
use serde::Deserialize;
use tidemill_model::ids::ProjectId;
use tidemill_model::key::Scope;
use tidemill_model::run::{Run, State, Trigger};
use tidemill_store::{Made, Page};

/// Pages read for one page of a filtered list; then the answer is what was found so far, and a cursor.
const PAGES_READ: usize = 20;

pub struct RunList;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: Option<ProjectId>,
    pub state: Option<State>,
    pub trigger: Option<Trigger>,
    pub version: Option<u32>,
    /// Runs made at this instant or later.
    pub since: Option<Timestamp>,
    /// Runs made before this instant.
    pub until: Option<Timestamp>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl crate::Operation for RunList {
    const NAME: &'static str = "run_list";
    const SCOPE: Scope = Scope::Monitor;
    type Input = Input;
    type Output = List<RunAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let limit = answer::page_limit(input.limit)?;
        let mut cursor = answer::cursor(input.cursor.as_deref())?;
        let made = Made { since: input.since, until: input.until };
        let mut items: Vec<Run> = Vec::new();
        for _ in 0..PAGES_READ {
            let wanted = limit - items.len();
            let Page { items: found, next } = match &input.project {
                Some(project) => plane.store.runs(&call.owner, project, &made, cursor.as_ref(), wanted).await?,
                None => plane.store.runs_of_owner(&call.owner, &made, cursor.as_ref(), wanted).await?,
            };
            items.extend(found.into_iter().filter(|run| input.keeps(run)));
            cursor = next;
            if cursor.is_none() || items.len() >= limit {
                break;
            }
        }
        if let Some(project) = input.project.as_ref().filter(|_| items.is_empty())
            && plane.store.deployment(&call.owner, project).await?.is_none()
        {
            return Err(Error::not_found("project", project));
        }
        Ok(List::of(Page { items, next: cursor }, |run| RunAnswer { result: None, ..RunAnswer::from(run) }))
    }
}

impl Input {
    fn keeps(&self, run: &Run) -> bool {
        self.state.is_none_or(|state| run.state == state)
            && self.trigger.is_none_or(|trigger| run.trigger == trigger)
            && self.version.is_none_or(|version| run.version == version)
    }
}
