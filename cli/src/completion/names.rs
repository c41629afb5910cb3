//! The names that an argument may take, by kind.

use super::is_bash;
use super::plane::{Asked, ask};
use crate::api::client::Path;
use crate::api::views::{Key, Run, Secret, Version};
use crate::failure::Failure;
use crate::output::table::plain;
use crate::output::times::{now, relative};
use crate::rollouts::views::{Group, Rollout};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};
use serde::Deserialize;
use std::collections::HashSet;
use std::ffi::OsStr;

/// A name, and what it is.
type Name = (String, String);

#[derive(Deserialize)]
struct Project {
    project: String,
    state: String,
}

#[derive(Deserialize)]
struct Place {
    environment: String,
    project: String,
}

#[derive(Deserialize)]
struct Task {
    id: String,
    project: String,
    state: String,
}

/// Projects: deployed ones.
pub fn projects() -> ArgValueCompleter {
    completer(async |asked, current| deployed(asked, current).await)
}

/// Projects: deployed ones, and those that are live in an environment.
pub fn placed_projects() -> ArgValueCompleter {
    completer(async |asked, current| {
        let mut names = deployed(asked, current).await?;
        let places: Vec<Place> = asked.list(&Path::new(&["environments"])).await?;
        names.extend(places.into_iter().map(|place| (place.project, format!("live in {}", place.environment))));
        Ok(names)
    })
}

pub fn groups() -> ArgValueCompleter {
    completer(async |asked, _| known_groups(asked).await)
}

/// Runs by id, and projects.
pub fn runs() -> ArgValueCompleter {
    completer(async |asked, current| {
        let mut names = deployed(asked, current).await?;
        let runs: Vec<Run> = asked.all(&Path::new(&["runs"])).await?;
        names.extend(runs.into_iter().map(|run| {
            let about = format!("{} {} {}", run.project, run.state, relative(run.queued_at, now()));
            (run.id, about)
        }));
        Ok(names)
    })
}

/// Rollouts by id, and groups.
pub fn rollouts() -> ArgValueCompleter {
    completer(async |asked, _| {
        let mut names = known_groups(asked).await?;
        let rollouts: Vec<Rollout> = asked.all(&Path::new(&["rollouts"])).await?;
        names.extend(rollouts.into_iter().map(|one| {
            let about = format!("{} {} {}", one.group, one.state, relative(one.created_at, now()));
            (one.id, about)
        }));
        Ok(names)
    })
}

pub fn environments() -> ArgValueCompleter {
    completer(async |asked, _| {
        let places: Vec<Place> = asked.list(&Path::new(&["environments"])).await?;
        Ok(places.into_iter().map(|place| (place.environment, "environment".to_owned())).collect())
    })
}

/// The versions of the project that the line names.
pub fn versions() -> ArgValueCompleter {
    completer(async |asked, _| {
        let Some(project) = asked.given("project") else { return Ok(Vec::new()) };
        let versions: Vec<Version> = asked.all(&Path::new(&["deployments", &project, "versions"])).await?;
        let name = |version: Version| {
            let made = format!("made {}", relative(version.created_at, now()));
            (version.version.to_string(), version.note.unwrap_or(made))
        };
        Ok(versions.into_iter().map(name).collect())
    })
}

pub fn secrets() -> ArgValueCompleter {
    completer(async |asked, _| {
        let secrets: Vec<Secret> = asked.list(&Path::new(&["secrets"])).await?;
        Ok(secrets.into_iter().map(|one| (one.name, format!("set {}", relative(one.updated_at, now())))).collect())
    })
}

/// Keys that still open something.
pub fn keys() -> ArgValueCompleter {
    completer(async |asked, _| {
        let keys: Vec<Key> = asked.list(&Path::new(&["keys"])).await?;
        let live = keys.into_iter().filter(|key| key.state == "live");
        Ok(live.map(|key| (key.id, key.name.unwrap_or_else(|| key.scopes.join(" ")))).collect())
    })
}

/// Tasks that are open.
pub fn tasks() -> ArgValueCompleter {
    completer(async |asked, _| {
        let tasks: Vec<Task> = asked.all(&Path::new(&["tasks"])).await?;
        let open = tasks.into_iter().filter(|task| task.state != "ended");
        Ok(open.map(|task| (task.id, task.project)).collect())
    })
}

/// The catalogue of this command.
pub fn providers() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let catalogue = tidemill_engine::catalogue();
        let names = catalogue.iter().map(|one| (one.name.to_owned(), one.title.to_owned()));
        candidates(names.collect(), &typed(current))
    })
}

/// A file behind an `@`; anything else is a text.
pub fn input() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let text = current.to_string_lossy();
        let Some(file) = text.strip_prefix('@') else { return Vec::new() };
        let files = PathCompleter::any().complete(OsStr::new(file));
        files.into_iter().map(|file| file.add_prefix("@")).collect()
    })
}

async fn deployed(asked: &Asked, current: &str) -> Result<Vec<Name>, Failure> {
    let part = Some(current).filter(|current| !current.is_empty());
    let projects: Vec<Project> = asked.list(&Path::new(&["deployments"]).with_some("name", part)).await?;
    Ok(projects.into_iter().map(|one| (one.project, one.state)).collect())
}

async fn known_groups(asked: &Asked) -> Result<Vec<Name>, Failure> {
    let groups: Vec<Group> = asked.list(&Path::new(&["groups"])).await?;
    let about = |group: &Group| if group.title == group.group { "group".to_owned() } else { group.title.clone() };
    Ok(groups.into_iter().map(|group| (group.group.clone(), about(&group))).collect())
}

fn completer<Q>(question: Q) -> ArgValueCompleter
where
    Q: AsyncFn(&Asked, &str) -> Result<Vec<Name>, Failure> + Send + Sync + 'static,
{
    ArgValueCompleter::new(move |current: &OsStr| {
        let current = typed(current);
        let names = ask(async |asked: &Asked| question(asked, &current).await);
        candidates(names, &current)
    })
}

/// Each name once, if it begins as the word does. One that could steer a terminal is left out.
fn candidates(names: Vec<Name>, current: &str) -> Vec<CompletionCandidate> {
    let begins = |name: &str| name.get(..current.len()).is_some_and(|start| start.eq_ignore_ascii_case(current));
    let is_shown = |name: &str| !name.chars().any(char::is_control) && begins(name);
    let mut seen = HashSet::new();
    let wanted = names.into_iter().filter(|(name, _)| is_shown(name) && seen.insert(name.clone()));
    let written = |name: String| if is_bash() { escaped(&name) } else { name };
    wanted.map(|(name, about)| CompletionCandidate::new(written(name)).help(Some(plain(&about).into()))).collect()
}

/// What was typed of a name. Bash hands over its own marks, too.
fn typed(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if is_bash() { word.replace('\\', "") } else { word.into_owned() }
}

/// A name as a word of bash, which puts it into the line as it is; other shells quote it themselves.
fn escaped(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-/@%+,:=".contains(c);
    name.chars().flat_map(|c| (!is_plain(c)).then_some('\\').into_iter().chain([c])).collect()
}
