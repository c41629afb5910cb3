//! What a rollout would do, for people.

use crate::client::{Client, Path};
use crate::failure::{Exit, Failure};
use crate::rollouts::wanted::Wanted;
use crate::session::Session;
use crate::table::plain;
use crate::views::Detail;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Preview {
    pub group: String,
    pub items: Vec<Change>,
}

/// What would become of a pipeline.
#[derive(Debug, Deserialize)]
pub struct Change {
    pub project: String,
    pub action: String,
    /// What is live now.
    pub version: Option<u32>,
    /// Why it would fail.
    pub problem: Option<String>,
    #[serde(default)]
    pub warnings: Vec<Detail>,
}

/// Prints what would change. It fails if the rollout would.
pub async fn show(session: &Session, client: &Client, wanted: &Wanted<'_>) -> Result<Exit, Failure> {
    let answer = client.post(&Path::new(&["rollouts", "preview"]), Some(wanted.body())).await?;
    let preview: Preview = answer.read()?;
    if session.output.is_json() {
        session.output.line(&answer.text);
    } else {
        session.output.line(shown(&preview));
        preview.items.iter().for_each(|change| session.output.warnings(&change.warnings));
    }
    would_fail(&preview).map_or(Ok(Exit::Done), Err)
}

/// Fails if the rollout would, before it begins.
pub async fn check(client: &Client, wanted: &Wanted<'_>) -> Result<(), Failure> {
    let preview = client.post(&Path::new(&["rollouts", "preview"]), Some(wanted.body())).await?.read()?;
    // The caller asked for a rollout, and the state of things forbids it.
    would_fail(&preview).map_or(Ok(()), |failure| Err(failure.exit(Exit::Conflict)))
}

fn would_fail(preview: &Preview) -> Option<Failure> {
    let wrong = preview.items.iter().filter_map(|change| {
        let problem = change.problem.as_ref()?;
        let message = format!("`{}`: {problem}", plain(&change.project));
        Some(Detail { component: None, field: None, message, hint: None })
    });
    let details: Vec<Detail> = wrong.collect();
    let message = match details.as_slice() {
        [] => return None,
        [only] => only.message.clone(),
        several => format!("{} pipelines cannot be rolled out", several.len()),
    };
    Some(Failure { details, ..Failure::new("conflict", message) })
}

fn shown(preview: &Preview) -> String {
    let lines: Vec<String> = preview.items.iter().map(line).collect();
    format!("a rollout of `{}` would\n{}", plain(&preview.group), lines.join("\n"))
}

/// What would become of one pipeline, in a line.
fn line(change: &Change) -> String {
    let project = plain(&change.project);
    let version = change.version.unwrap_or_default();
    match change.action.as_str() {
        "create" => format!("create `{project}`"),
        "update" => format!("update `{project}`, now version {version}"),
        "unchanged" => format!("leave `{project}` as it is, version {version}"),
        "delete" => format!("remove `{project}`"),
        "detach" => format!("let `{project}` go, version {version}"),
        other => format!("{other} `{project}`"),
    }
}
