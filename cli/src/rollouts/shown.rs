//! Rollouts for people: the line of a resource, the sentence at the end, a row of a list, and all that there is of one.

use crate::output::table::{Table, counted, facts, or_dash, plain, readable, state, text};
use crate::output::times::{both, milliseconds, relative};
use crate::rollouts::views::{Resource, Rollout};
use comfy_table::Cell;
use jiff::Timestamp;
use owo_colors::OwoColorize;
use serde_json::value::RawValue;
use tidemill_model::git::Git;

/// Characters of a commit that identify it.
const SHORT: usize = 8;
/// Characters of a commit's message that are shown.
const SUBJECT: usize = 60;

/// The outcome of a resource, in a line.
pub fn resource(resource: &Resource) -> String {
    let project = plain(&resource.project);
    let message = resource.message.as_deref().and_then(|message| message.lines().next()).map(plain);
    let why = message.map(|message| format!(": {message}")).unwrap_or_default();
    match (resource.outcome.as_str(), resource.version) {
        ("applied", Some(version)) => format!("{} `{project}`: version {version}", done(resource)),
        ("applied", None) => format!("{} `{project}`", done(resource)),
        ("failed", _) => format!("{} `{project}`{why}", "failed".red()),
        _ => format!("{} `{project}`{why}", "not reached".yellow()),
    }
}

/// Whether a person is shown the line of a resource; the sentence at the end counts those that stay as they are.
pub fn is_news(resource: &Resource) -> bool {
    resource.outcome != "applied" || resource.action.as_deref() != Some("unchanged")
}

/// What was done with a resource.
fn done(resource: &Resource) -> &str {
    match resource.action.as_deref() {
        Some("create") => "deployed",
        Some("update") => "updated",
        Some("delete") => "removed",
        Some("detach") => "let go",
        Some(other) => other,
        None => "done",
    }
}

/// How a rollout ended, and how much of what it did.
pub fn ended(rollout: &Rollout, resources: &[Resource]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for resource in resources {
        let word = match resource.outcome.as_str() {
            "applied" => done(resource),
            "not_reached" => "not reached",
            other => other,
        };
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let took = took(rollout).map(|took| format!(" in {took}")).unwrap_or_default();
    let what = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
    format!("rollout `{}` of `{}` {}{took}: {what}", rollout.id, plain(&rollout.group), rollout.state)
}

/// A line for the start of a rollout.
pub fn start(rollout: &Rollout) -> String {
    let count = match rollout.resources {
        // A removal counts its pipelines when it reads them.
        0 => String::new(),
        count => format!(": {}", counted(count as usize, "pipeline")),
    };
    format!("rollout `{}` of `{}`{count}", rollout.id, plain(&rollout.group))
}

/// The rollout that another one waits for.
pub fn holder(rollout: &Rollout, now: Timestamp) -> String {
    let began = relative(rollout.created_at, now);
    let of = rollout.git.as_ref().and_then(commit).map(|commit| format!(", {commit}")).unwrap_or_default();
    format!("rollout `{}` of `{}`, started {began}, at {} %{of}", rollout.id, plain(&rollout.group), rollout.progress)
}

/// `commit 4f2a9c1 on main by ana: Count by hour`.
fn commit(git: &Git) -> Option<String> {
    let part = |lead: &str, text: &Option<String>| {
        text.as_ref().map(|text| format!("{lead}{}", plain(text))).unwrap_or_default()
    };
    let commit = git.commit.as_ref().map(|commit| format!("commit {}", short(commit)))?;
    Some(commit + &part(" on ", &git.branch) + &part(" by ", &git.author) + &part(": ", &subject(git)))
}

fn subject(git: &Git) -> Option<String> {
    let line = git.message.as_deref()?.lines().next()?.trim();
    Some(match line.char_indices().nth(SUBJECT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    })
}

/// As much of a commit as identifies it.
pub fn short(commit: &str) -> String {
    plain(commit).chars().take(SHORT).collect()
}

/// How many pipelines are settled, of how many. A rollout that ends early settles the rest as not reached, so then the
/// number says nothing about how far it came.
fn settled(rollout: &Rollout, of: &str) -> String {
    let Rollout { settled, resources, .. } = rollout;
    let says_nothing = rollout.is_final() && rollout.state != "succeeded" && settled == resources;
    match says_nothing {
        true => format!("of {resources}"),
        false => format!("{settled}{of}{resources}"),
    }
}

fn took(rollout: &Rollout) -> Option<String> {
    let took = rollout.ended_at?.duration_since(rollout.created_at);
    Some(milliseconds(i64::try_from(took.as_millis()).ok()?.max(0)))
}

pub fn columns() -> Table {
    crate::output::table::new(&["ROLLOUT", "GROUP", "STATE", "%", "PIPELINES", "COMMIT", "STARTED", "TOOK", "ERROR"])
        .gives_up(&["%", "TOOK", "COMMIT", "PIPELINES", "ERROR", "STARTED", "GROUP"])
}

pub fn row(table: &mut Table, rollout: Rollout) {
    let commit = rollout.git.as_ref().and_then(|git| git.commit.as_deref()).map(short);
    let wrong = rollout.error.as_ref().and_then(|wrong| wrong.message.lines().next()).map(plain);
    table.add_row([
        Cell::new(&rollout.id),
        Cell::new(plain(&rollout.group)),
        state(&rollout.state),
        Cell::new(rollout.progress),
        Cell::new(settled(&rollout, "/")),
        or_dash(commit),
        Cell::new(relative(rollout.created_at, crate::output::times::now())),
        or_dash(took(&rollout)),
        or_dash(wrong),
    ]);
}

/// One rollout, without its resources.
pub fn shown(rollout: &Rollout) -> String {
    let now = crate::output::times::now();
    let mut rows = vec![
        ("rollout", Cell::new(&rollout.id)),
        ("group", Cell::new(plain(&rollout.group))),
        ("purpose", Cell::new(&rollout.purpose)),
        ("state", state(&rollout.state)),
        ("step", Cell::new(&rollout.step)),
        ("progress", Cell::new(format!("{} %, {}", rollout.progress, settled(rollout, " of ")))),
    ];
    if let Some(git) = &rollout.git {
        let git = git.clone();
        let facts = [
            ("commit", git.commit),
            ("branch", git.branch),
            ("message", rollout.git.as_ref().and_then(subject)),
            ("author", git.author),
            ("repository", git.repository),
            ("pull request", git.pull_request),
        ];
        rows.extend(facts.into_iter().filter_map(|(name, text)| Some((name, Cell::new(plain(&text?))))));
    }
    rows.push(("requested", Cell::new(both(rollout.created_at, now))));
    rows.extend(rollout.started_at.map(|at| ("started", Cell::new(both(at, now)))));
    rows.extend(rollout.ended_at.map(|at| ("ended", Cell::new(both(at, now)))));
    rows.extend(took(rollout).map(|took| ("took", Cell::new(took))));
    rows.extend(rollout.cancel_requested_at.map(|at| ("cancel asked", Cell::new(both(at, now)))));
    rows.extend(rollout.error.as_ref().map(|wrong| ("error", Cell::new(readable(&wrong.message)))));
    text(&facts(rows))
}

/// What the resources of an answer say; one that cannot be read is of a later plane, and left out.
pub fn resources(items: &[Box<RawValue>]) -> Vec<Resource> {
    items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect()
}
