//! Who registered which version of a project, and who put which one live where, newest first.

use crate::Operation;
use crate::answer::{self, ListAnswer};
use crate::error::Error;
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidemill_model::audit;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::invalid::Invalid;
use tidemill_model::key::Scope;
use tidemill_store::{EnvironmentAudit, PAGE_LIMIT};

pub struct History;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    /// Only its changes, beside the versions that were added, which are of no environment.
    pub environment: Option<EnvironmentName>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// A change of an environment, a run, or a version that was added.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its place in the history: 1 is the oldest.
    pub number: u64,
    pub at: Timestamp,
    /// `version_add`, or the operation that changed the environment.
    pub operation: audit::Operation,
    pub environment: Option<String>,
    pub source: Option<String>,
    /// What was live before.
    pub from_version: Option<u32>,
    pub version: u32,
    /// The key that asked.
    pub key: String,
    /// The environment's, after it.
    #[serde(skip)]
    revision: u64,
}

impl Operation for History {
    const NAME: &'static str = "environment_history";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = ListAnswer<Event>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let limit = answer::page_limit(input.limit)?;
        let before = input.cursor.as_deref().map(parsed).transpose()?;
        let mut items = all(plane, call, &input.project, input.environment.as_ref()).await?;
        items.retain(|event| before.is_none_or(|before| event.number < before));
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|last| last.number.to_string());
        Ok(ListAnswer { items, next })
    }
}

/// A cursor is the number of the last row that was shown.
fn parsed(cursor: &str) -> Result<u64, Error> {
    cursor.parse().map_err(|_| {
        Invalid::new("cursor", "the cursor is not one that this list gave", "send back the `next` of a page").into()
    })
}

/// The whole history of a project, or of one of its environments.
pub async fn all(
    plane: &Plane,
    call: &Call,
    project: &ProjectId,
    environment: Option<&EnvironmentName>,
) -> Result<Vec<Event>, Error> {
    let mut items = versions(plane, call, project).await?;
    if items.is_empty() {
        return Err(Error::not_found(Noun::Project, project));
    }
    items.extend(changes(plane, call, project).await?);
    put_in_order(&mut items);
    for (event, number) in items.iter_mut().zip(1..) {
        event.number = number;
    }
    let name = environment.map(EnvironmentName::as_str);
    items.retain(|event| name.is_none() || event.environment.is_none() || event.environment.as_deref() == name);
    items.reverse();
    Ok(items)
}

/// Puts everything into its order. The versions are in the order of their numbers and the changes of an environment in
/// that of its revisions, whatever the clocks of those who wrote them said; between the two, time decides.
fn put_in_order(items: &mut [Event]) {
    items.sort_by(|one, other| one.place().cmp(&other.place()));
    for written in items.chunk_by_mut(|one, other| one.environment == other.environment) {
        for next in 1..written.len() {
            written[next].at = written[next].at.max(written[next - 1].at);
        }
    }
    // A version was registered before it was deployed.
    items.sort_by_key(|event| (event.at, event.environment.is_some()));
}

impl Event {
    /// Where it stands among the changes of the same environment, or among the versions. A run leaves the revision as it
    /// is, and came after the change that made that.
    fn place(&self) -> (Option<&str>, u64, bool, u32, Timestamp) {
        let is_run = self.operation == audit::Operation::EnvironmentRun;
        (self.environment.as_deref(), self.revision, is_run, self.version, self.at)
    }
}

async fn versions(plane: &Plane, call: &Call, project: &ProjectId) -> Result<Vec<Event>, Error> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = plane.store.versions(&call.owner, project, cursor.as_ref(), PAGE_LIMIT).await?;
        items.extend(page.items.into_iter().map(|version| Event {
            number: 0,
            at: version.created_at,
            operation: audit::Operation::VersionAdd,
            environment: None,
            source: None,
            from_version: None,
            version: version.number,
            key: version.created_by.to_string(),
            revision: 0,
        }));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(items);
        }
    }
}

async fn changes(plane: &Plane, call: &Call, project: &ProjectId) -> Result<Vec<Event>, Error> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = plane.store.environment_audits(&call.owner, project, cursor.as_ref(), PAGE_LIMIT).await?;
        items.extend(page.items.into_iter().map(Event::from));
        cursor = page.next;
        if cursor.is_none() {
            items.reverse();
            return Ok(items);
        }
    }
}

impl From<EnvironmentAudit> for Event {
    fn from(row: EnvironmentAudit) -> Event {
        Event {
            number: 0,
            at: row.at,
            // What came with its version was deployed all the same.
            operation: match row.operation {
                audit::Operation::VersionAdd => audit::Operation::EnvironmentDeploy,
                operation => operation,
            },
            environment: Some(row.environment.to_string()),
            source: row.source,
            from_version: Some(row.from_version).filter(|version| *version != 0),
            version: row.version,
            key: row.key.to_string(),
            revision: row.revision,
        }
    }
}
