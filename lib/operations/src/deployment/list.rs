//! An owner's deployments, by project.

use crate::answer::{self, DeploymentAnswer, LastRunAnswer, ListAnswer};
use crate::deployment::definition::pipeline_of;
use crate::error::Error;
use crate::plane::{Call, Plane};
use serde::Deserialize;
use std::collections::HashMap;
use tidemill_model::deployment::{Deployment, Status};
use tidemill_model::ids::{GroupName, NAME_LIMIT};
use tidemill_model::invalid::Invalid;
use tidemill_model::key::Scope;
use tidemill_model::run::Run;
use tidemill_store::{Cursor, PAGE_LIMIT, Page};

/// Pages read for one page of the answer; then the answer is what was found so far, and a cursor.
const PAGES_READ: usize = 10;
/// Records of the largest page that is read.
const WHOLE_PAGE: usize = 1000;
/// How much larger the next page is: what is not listed may fill whole pages, such as thousands of removed ones.
const GROWTH: usize = 4;

pub struct List;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// A part of the project's name, upper and lower case alike.
    pub name: Option<String>,
    pub state: Option<Status>,
    pub group: Option<GroupName>,
    /// Only those whose last run failed or timed out.
    #[serde(default)]
    pub failing: bool,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl crate::Operation for List {
    const NAME: &'static str = "deployment_list";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = ListAnswer<DeploymentAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let page = page(plane, call, &Filter::of(&input)?, &input, LastRuns::Read).await?;
        Ok(ListAnswer::of(page, |Row { deployment, last_run }| DeploymentAnswer {
            last_run: Some(last_run.map(LastRunAnswer::from)),
            ..DeploymentAnswer::of(plane, &deployment).seen_by(call)
        }))
    }
}

/// Which deployments are listed.
struct Filter<'a> {
    name: Option<String>,
    state: Option<Status>,
    group: Option<&'a GroupName>,
    failing: bool,
}

impl Filter<'_> {
    fn of(input: &Input) -> Result<Filter<'_>, Invalid> {
        if input.state == Some(Status::Removed) {
            let message = "`state` is `removed`, and removed deployments are not listed";
            return Err(Invalid::new("state", message, "give `active`, `paused` or `errored`"));
        }
        if input.name.as_ref().is_some_and(|name| name.chars().count() > NAME_LIMIT) {
            let message = format!("`name` has more than {NAME_LIMIT} characters, and no project's name has");
            return Err(Invalid::new("name", message, "give a part of a project's name"));
        }
        let name = input.name.as_ref().map(|name| name.to_lowercase());
        Ok(Filter { name, state: input.state, group: input.group.as_ref(), failing: input.failing })
    }

    fn is_all(&self) -> bool {
        self.name.is_none() && self.state.is_none() && self.group.is_none() && !self.failing
    }

    /// Whether it is listed, as far as its record says. Tombstones and the sources of environments never are.
    fn keeps(&self, deployment: &Deployment) -> bool {
        let is_named = |part: &String| deployment.id.project().as_str().to_lowercase().contains(part);
        !deployment.state.is_removed()
            && deployment.id.is_project()
            && self.name.as_ref().is_none_or(is_named)
            && self.state.is_none_or(|state| deployment.state.status() == state)
            && self.group.is_none_or(|group| deployment.group.as_ref() == Some(group))
    }

    fn keeps_row(&self, row: &Row) -> bool {
        !self.failing || row.last_run.as_ref().is_some_and(|run| run.state.is_failure())
    }
}

/// A deployment and its last run, if that was read and is still kept.
struct Row {
    deployment: Deployment,
    last_run: Option<Run>,
}

#[derive(Clone, Copy, PartialEq)]
enum LastRuns {
    Read,
    LeftOut,
}

async fn page(
    plane: &Plane,
    call: &Call,
    filter: &Filter<'_>,
    input: &Input,
    last_runs: LastRuns,
) -> Result<Page<Row>, Error> {
    let limit = answer::page_limit(input.limit)?;
    let mut cursor = answer::cursor(input.cursor.as_deref())?;
    let mut items: Vec<Row> = Vec::new();
    let mut size = if filter.is_all() { limit } else { PAGE_LIMIT };
    // What is not listed lies between the rest; a page is filled up behind it.
    for _ in 0..PAGES_READ {
        let Page { items: found, next } = plane.store.deployments(&call.owner, cursor.as_ref(), size).await?;
        (cursor, size) = (next, (size * GROWTH).min(WHOLE_PAGE));
        let mut found: Vec<_> = found.into_iter().filter(|deployment| filter.keeps(deployment)).collect();
        if !filter.failing {
            // The runs of one more are read than fit, by which it shows that there is a next page.
            found.truncate(limit - items.len() + 1);
        }
        let found = rows(plane, call, found, last_runs).await?;
        for row in found.into_iter().filter(|row| filter.keeps_row(row)) {
            if items.len() == limit {
                cursor = items.last().map(|last| Cursor::of_deployment(&last.deployment.id));
                break;
            }
            items.push(row);
        }
        if cursor.is_none() || items.len() == limit {
            break;
        }
    }
    Ok(Page { items, next: cursor })
}

/// Reads the last runs of all of them in one batch.
async fn rows(plane: &Plane, call: &Call, found: Vec<Deployment>, last_runs: LastRuns) -> Result<Vec<Row>, Error> {
    let wanted: Vec<_> = match last_runs {
        LastRuns::Read => found.iter().filter_map(|one| Some((one.id.clone(), one.current.clone()?))).collect(),
        LastRuns::LeftOut => Vec::new(),
    };
    let runs = plane.store.runs_of(&call.owner, &wanted).await?;
    let mut runs: HashMap<_, _> = runs.into_iter().map(|run| (run.deployment.clone(), run)).collect();
    let mut last_run = |deployment: &Deployment| {
        let carried = |run| deployment.carried(run, plane.now()).filter(|_| last_runs == LastRuns::Read).cloned();
        runs.remove(&deployment.id).or_else(|| deployment.current.as_ref().and_then(carried))
    };
    let row = |deployment: Deployment| Row { last_run: last_run(&deployment), deployment };
    Ok(found.into_iter().map(row).collect())
}

/// A page with the pipelines: three reads, and one more for each pipeline that does not fit into one item.
pub async fn with_pipelines(plane: &Plane, call: &Call, input: Input) -> Result<ListAnswer<DeploymentAnswer>, Error> {
    let page = page(plane, call, &Filter::of(&input)?, &input, LastRuns::LeftOut).await?;
    let live: Vec<_> =
        page.items.iter().map(|Row { deployment: one, .. }| (one.id.project().clone(), one.version)).collect();
    let versions = plane.store.versions_of(&call.owner, &live).await?;
    let names: HashMap<_, _> = versions.into_iter().map(|one| (one.project, one.sha256)).collect();
    let wanted: Vec<_> = names.clone().into_iter().collect();
    let mut bodies = plane.store.bodies(&call.owner, &wanted).await?;
    let mut items = Vec::new();
    for Row { deployment, .. } in &page.items {
        let name =
            names.get(deployment.id.project()).ok_or_else(|| Error::internal("a deployment's version is missing"))?;
        let body = bodies.remove(&(deployment.id.project().clone(), name.clone()));
        let pipeline = Some(pipeline_of(body, name)?.json);
        items.push(DeploymentAnswer { pipeline, ..DeploymentAnswer::of(plane, deployment).seen_by(call) });
    }
    Ok(ListAnswer { items, next: page.next.as_ref().map(|cursor| cursor.encode()) })
}
