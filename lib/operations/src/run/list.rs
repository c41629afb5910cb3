//! Runs, newest first: of one project and its environments, or of all of an owner's.

use crate::answer::{self, ListAnswer, RunAnswer};
use crate::error::{Code, Error};
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::ProjectId;
use tidemill_model::key::Scope;
use tidemill_model::run::{Run, State, Trigger};
use tidemill_model::version::NO_VERSION;
use tidemill_store::{Cursor, Page, Period};

/// Partitions that one list reads: an environment has at most 25 schedules.
const SOURCES: usize = 250;
const READ_AT_ONCE: usize = 16;
/// Pages read for one page of a filtered list; then the answer is what was found so far, and a cursor.
const PAGES_READ: usize = 20;

pub struct List;

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

impl crate::Operation for List {
    const NAME: &'static str = "run_list";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = ListAnswer<RunAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let limit = answer::page_limit(input.limit)?;
        let mut cursor = answer::cursor(input.cursor.as_deref())?;
        let period = Period { since: input.since, until: input.until };
        let places = match &input.project {
            Some(project) => places(plane, call, project).await?,
            None => Vec::new(),
        };
        let mut items: Vec<Run> = Vec::new();
        for _ in 0..PAGES_READ {
            let wanted = limit - items.len();
            let Page { items: found, next } = match &input.project {
                Some(_) => merged(plane, call, &places, &period, cursor.as_ref(), wanted).await?,
                None => plane.store.runs_of_owner(&call.owner, &period, cursor.as_ref(), wanted).await?,
            };
            items.extend(found.into_iter().filter(|run| input.keeps(run)));
            cursor = next;
            if cursor.is_none() || items.len() >= limit {
                break;
            }
        }
        if let (Some(project), [(_, None), ..], []) = (&input.project, places.as_slice(), items.as_slice()) {
            return Err(Error::not_found(Noun::Project, project));
        }
        Ok(ListAnswer::of(Page { items, next: cursor }, RunAnswer::in_list))
    }
}

/// Where runs are, and the deployment that they are of; there is none where only tasks ran.
type Place = (DeploymentId, Option<Deployment>);

/// Where a project's runs are: in its own partition, and in one for each source that an environment runs.
async fn places(plane: &Plane, call: &Call, project: &ProjectId) -> Result<Vec<Place>, Error> {
    let own = DeploymentId::from(project);
    let deployment = plane.store.deployment(&call.owner, &own).await?;
    let sources = plane.store.sources_of_project(&call.owner, project, SOURCES + 1).await?;
    if sources.len() > SOURCES {
        let message = format!("project `{project}` has runs of more than {SOURCES} sources of environments");
        return Err(Error::new(Code::TooLarge, message).hint("list the runs of all projects, without `project`"));
    }
    let sources = sources.into_iter().map(|source| (source.id.clone(), Some(source)));
    Ok([(own, deployment)].into_iter().chain(sources).collect())
}

/// A page of the runs of several partitions, newest first: one read of each. The ids of runs sort by time, so a cursor
/// means the same everywhere.
async fn merged(
    plane: &Plane,
    call: &Call,
    places: &[Place],
    period: &Period,
    cursor: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Run>, Error> {
    let mut pages = Vec::new();
    for some in places.chunks(READ_AT_ONCE) {
        let reads = some.iter().map(async |(place, deployment)| {
            let page = plane.store.runs(&call.owner, place, period, cursor, limit).await?;
            Ok::<_, Error>(with_carried(page, deployment.as_ref(), period, cursor, plane.now()))
        });
        pages.extend(try_join_all(reads).await?);
    }
    let mut is_more = pages.iter().any(|page| page.next.is_some());
    let mut items: Vec<Run> = pages.into_iter().flat_map(|page| page.items).collect();
    items.sort_by(|one, other| other.id.cmp(&one.id));
    is_more |= items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| is_more).map(|last| Cursor::of_run(&last.id));
    Ok(Page { items, next })
}

/// A page of a deployment's runs, read after it, with the one that it carries where that belongs.
pub(crate) fn with_carried(
    page: Page<Run>,
    deployment: Option<&Deployment>,
    period: &Period,
    cursor: Option<&Cursor>,
    now: Timestamp,
) -> Page<Run> {
    let Page { mut items, next } = page;
    let carried = deployment.and_then(|deployment| deployment.carried(deployment.current.as_ref()?, now));
    let carried = carried.filter(|run| period.has(&run.id) && cursor.is_none_or(|cursor| cursor.leads_to(&run.id)));
    if let Some(run) = carried {
        let place = items.partition_point(|other| other.id > run.id);
        let has_record = items.get(place).is_some_and(|other| other.id == run.id);
        // Below the last one of a page is the next page.
        if !has_record && (place < items.len() || next.is_none()) {
            items.insert(place, run.clone());
        }
    }
    Page { items, next }
}

impl Input {
    fn keeps(&self, run: &Run) -> bool {
        self.state.is_none_or(|state| run.state == state)
            && self.trigger.is_none_or(|trigger| run.trigger == trigger)
            && self.version.is_none_or(|version| run.version.unwrap_or(NO_VERSION) == version)
    }
}
