//! The preview of a rollout: what it would change.

use crate::api::client::{Client, Path};
use crate::api::views::Detail;
use crate::deploy::files::PreparedPipeline;
use crate::failure::{Exit, Failure};
use crate::output::table::plain;
use crate::rollouts::input::RolloutInput;
use crate::rollouts::preview_time::Time;
use crate::session::Session;
use owo_colors::OwoColorize;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Preview {
    pub group: String,
    pub items: Vec<Change>,
    /// Details of some are left out.
    #[serde(default)]
    pub cut: bool,
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
    pub graph: Option<Graph>,
    #[serde(default)]
    pub settings: Vec<Setting>,
    pub time: Option<Time>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Graph {
    added: Vec<Component>,
    removed: Vec<Component>,
    changed: Vec<ComponentChange>,
    connected: Vec<Connection>,
    disconnected: Vec<Connection>,
    source: Option<Source>,
}

#[derive(Debug, Deserialize)]
struct Component {
    id: String,
    provider: String,
}

#[derive(Debug, Deserialize)]
struct ComponentChange {
    id: String,
    fields: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Connection {
    from: String,
    lane: String,
    to: String,
}

#[derive(Debug, Deserialize)]
struct Source {
    after: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Setting {
    name: String,
    before: u64,
    after: u64,
}

/// Prints what would change. It fails if the rollout would.
pub async fn show(
    session: &Session,
    client: &Client,
    wanted: &RolloutInput<'_>,
    prepared: &[PreparedPipeline],
) -> Result<Exit, Failure> {
    let answer = client.post(&Path::new(&["rollouts", "preview"]), Some(wanted.body())).await?;
    let preview: Preview = answer.read()?;
    if session.output.is_json() {
        session.output.answer(&answer.text);
    } else {
        session.output.line(format_args!("a rollout of `{}` would", plain(&preview.group)));
        for change in &preview.items {
            shown(change).iter().for_each(|line| session.output.line(line));
            session.output.warnings(&named(&change.warnings, &change.project, prepared));
        }
        if preview.cut {
            session.output.note("there is more: details of some pipelines are left out; preview fewer at once");
        }
    }
    would_fail(&preview).map_or(Ok(Exit::Done), Err)
}

/// Names the file of a project in what is said about it.
fn named(warnings: &[Detail], project: &str, prepared: &[PreparedPipeline]) -> Vec<Detail> {
    let file = prepared.iter().find(|one| one.project == project);
    let named = |warning: Detail| match file {
        Some(file) => file.named(warning),
        None => warning,
    };
    warnings.iter().cloned().map(named).collect()
}

/// Fails if the rollout would, before it begins.
pub async fn check(client: &Client, wanted: &RolloutInput<'_>) -> Result<(), Failure> {
    let preview = client.post(&Path::new(&["rollouts", "preview"]), Some(wanted.body())).await?.read()?;
    // The caller asked for a rollout, and the state of things forbids it.
    would_fail(&preview).map_or(Ok(()), |failure| Err(failure.exit(Exit::Conflict)))
}

/// Refuses what the plane warns of.
pub async fn check_strictly(
    client: &Client,
    wanted: &RolloutInput<'_>,
    prepared: &[PreparedPipeline],
) -> Result<(), Failure> {
    let preview: Preview = client.post(&Path::new(&["rollouts", "preview"]), Some(wanted.body())).await?.read()?;
    let warnings = preview.items.iter().flat_map(|change| named(&change.warnings, &change.project, prepared));
    let warnings: Vec<Detail> = warnings.collect();
    if warnings.is_empty() { Ok(()) } else { Err(strictly(warnings)) }
}

/// A deploy that only its warnings are against.
pub fn strictly(warnings: Vec<Detail>) -> Failure {
    let message = "the deploy has warnings, which `--strict` refuses";
    Failure { details: warnings, ..Failure::new("invalid_argument", message) }.hint("nothing changed")
}

fn would_fail(preview: &Preview) -> Option<Failure> {
    let wrong = preview.items.iter().filter_map(|change| {
        let problem = change.problem.as_ref()?;
        let message = format!("`{}`: {problem}", plain(&change.project));
        Some(Detail::of(message))
    });
    let details: Vec<Detail> = wrong.collect();
    let message = match details.as_slice() {
        [] => return None,
        [only] => only.message.clone(),
        several => format!("{} pipelines cannot be rolled out", several.len()),
    };
    Some(Failure { details, ..Failure::new("conflict", message) })
}

/// What would become of one pipeline: a line, and indented ones for its details.
fn shown(change: &Change) -> Vec<String> {
    let mut lines = vec![line(change)];
    let details = change.graph.iter().flat_map(graph).chain(change.settings.iter().map(setting));
    lines.extend(details.map(|line| format!("  {line}")));
    if let Some(time) = &change.time {
        lines.extend(time.shown().into_iter().map(|line| format!("  {line}")));
    }
    lines
}

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

fn graph(graph: &Graph) -> Vec<String> {
    let component = |one: &Component| format!("{} ({})", plain(&one.id), plain(&one.provider));
    let connection = |one: &Connection| format!("{} → {} on {}", plain(&one.from), plain(&one.to), plain(&one.lane));
    let fields = |one: &ComponentChange| format!("{}: {}", plain(&one.id), plain(&one.fields.join(", ")));
    let mut lines = Vec::new();
    lines.extend(graph.removed.iter().map(|one| format!("{} {}", "-".red(), component(one))));
    lines.extend(graph.added.iter().map(|one| format!("{} {}", "+".green(), component(one))));
    lines.extend(graph.changed.iter().map(|one| format!("{} {}", "~".yellow(), fields(one))));
    lines.extend(graph.disconnected.iter().map(|one| format!("{} {}", "-".red(), connection(one))));
    lines.extend(graph.connected.iter().map(|one| format!("{} {}", "+".green(), connection(one))));
    lines.extend(graph.source.as_ref().map(|source| match &source.after {
        Some(id) => format!("{} starts at {}", "~".yellow(), plain(id)),
        None => format!("{} starts at its only source", "~".yellow()),
    }));
    lines
}

fn setting(setting: &Setting) -> String {
    format!("{} {}: {} → {}", "~".yellow(), plain(&setting.name), setting.before, setting.after)
}
