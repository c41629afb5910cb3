//! Runs as several commands need them: found by id or by project, and shown; followed to the end ([`follow`]) or from one to the next
//! ([`tail`]).

mod counts_line;
pub mod follow;
pub mod log;
pub mod log_text;
mod new_runs;
pub mod screen;
pub mod tail;

use crate::api::beginning;
use crate::api::client::{self, Client, Path};
use crate::api::pages::{List, PAGE_LIMIT};
use crate::api::views::Run;
use crate::deploy::files::read_text;
use crate::failure::{Exit, Failure};
use crate::output::table::{Table, facts, or_dash, plain, readable, state};
use crate::output::times::{absolute, both, milliseconds, relative};
use comfy_table::Cell;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use serde_json::value::RawValue;
use tidemill_model::ids::RunId;

/// Characters of a run's id that are shown where there is little room: those of its time.
pub const SHORT_ID: usize = 10;

/// What a person means by the name of a run or a project.
pub enum Named {
    Run(Box<Run>),
    /// A project, with its newest run if it ever ran.
    Project(Option<Box<Run>>),
}

/// Finds a run by its id or the beginning of it, in upper or lower case, or the newest run of a project.
pub async fn find(plane: &Client, run_or_project: &str) -> Result<Run, Failure> {
    match named(plane, run_or_project).await? {
        Named::Run(run) => Ok(*run),
        Named::Project(Some(newest)) => Ok(*newest),
        Named::Project(None) => Err(Failure::new("not_found", format!("project `{run_or_project}` has not run yet"))
            .hint(format!("start it with `tidemill run {run_or_project}`"))
            .exit(Exit::NotFound)),
    }
}

/// Finds what is meant by a run's id, the beginning of one, or the name of a project.
pub async fn named(plane: &Client, run_or_project: &str) -> Result<Named, Failure> {
    let beginning = run_or_project.to_ascii_uppercase();
    if RunId::parse(&beginning).is_ok() {
        match plane.get(&Path::new(&["runs", &beginning])).await {
            Err(failure) if failure.exit == Exit::NotFound => {}
            answer => return answer?.read().map(|run| Named::Run(Box::new(run))),
        }
    }
    match newest(plane, run_or_project).await {
        Ok(newest) => Ok(Named::Project(newest.map(Box::new))),
        Err(failure) if failure.exit == Exit::NotFound => match RunId::first_and_last(&beginning) {
            Some(ids) => only(plane, &beginning, ids, failure).await.map(|run| Named::Run(Box::new(run))),
            None => Err(failure),
        },
        Err(failure) => Err(failure),
    }
}

/// The only run whose id begins so. Ids begin with the time of their making, so a part of the list holds them all.
async fn only(plane: &Client, beginning: &str, ids: (RunId, RunId), no_project: Failure) -> Result<Run, Failure> {
    let (first, last) = (ids.0.made_at(), ids.1.made_at());
    let until = last.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
    let path = Path::new(&["runs"]).with("since", first).with("until", until).with("limit", PAGE_LIMIT);
    let list: List = plane.get(&path).await?.read()?;
    let mut runs = Vec::new();
    for item in &list.items {
        let run: Run = client::read(item.get())?;
        if run.id.starts_with(beginning) {
            runs.push((run.id.clone(), run));
        }
    }
    let asked = plain(beginning);
    match beginning::only("run", beginning, runs, list.next.is_some())? {
        Some(run) => Ok(run),
        None if ids.0 == ids.1 => Err(Failure::new("not_found", format!("run `{asked}` does not exist"))
            .hint("`tidemill runs` lists them; they are kept for 30 days")
            .exit(Exit::NotFound)),
        None => Err(Failure {
            message: format!("{}, and no run's id begins with `{asked}`", no_project.message),
            ..no_project
        }),
    }
}

/// The newest run of a project, if it ever ran.
pub async fn newest(plane: &Client, project: &str) -> Result<Option<Run>, Failure> {
    let list: List = plane.get(&Path::new(&["runs"]).in_project(project).with("limit", 1)).await?.read()?;
    list.items.first().map(|run| client::read(run.get())).transpose()
}

/// What `--input` gives: a text, `@FILE`, or `-` for standard input. JSON travels as it is written, to the byte; anything
/// else as a JSON string.
pub fn given_input(given: &str) -> Result<Box<RawValue>, Failure> {
    let text = match given.strip_prefix('@') {
        Some(file) => read_text(file.as_ref())?,
        None if given == "-" => read_text("-".as_ref())?,
        None => given.to_owned(),
    };
    let as_json = RawValue::from_string(text.clone());
    as_json
        .or_else(|_| serde_json::value::to_raw_value(&text))
        .map_err(|error| Failure::argument(format!("the input cannot be sent: {error}"), "give a text or JSON"))
}

/// Where a run is found without the help of the index, which may lag behind.
pub fn path(run: &Run) -> Path {
    Path::new(&["runs", &run.id]).with("project", &run.project)
}

/// Whether a list of runs has a column for values that were dropped.
#[derive(Clone, Copy, PartialEq)]
pub enum DroppedColumn {
    Shown,
    Hidden,
}

impl DroppedColumn {
    /// Shown if a run of the list dropped anything.
    pub fn of(list: &List) -> DroppedColumn {
        let has_dropped = |run: &str| client::read::<Run>(run).is_ok_and(|run| run.dropped > 0);
        match list.items.iter().any(|run| has_dropped(run.get())) {
            true => DroppedColumn::Shown,
            false => DroppedColumn::Hidden,
        }
    }
}

pub fn columns(dropped: DroppedColumn) -> Table {
    let mut names = vec!["RUN", "PROJECT", "V", "TRIGGER", "STATE", "TRY", "QUEUED", "TOOK", "OBJECTS"];
    names.extend((dropped == DroppedColumn::Shown).then_some("DROPPED"));
    names.push("ERROR");
    crate::output::table::new(&names)
        .gives_up(&["TRY", "V", "OBJECTS", "TRIGGER", "TOOK", "DROPPED", "QUEUED", "ERROR", "PROJECT"])
}

pub fn row(table: &mut Table, dropped: DroppedColumn, run: Run) {
    let now = crate::output::times::now();
    let mut cells = vec![
        Cell::new(&run.id),
        Cell::new(plain(&run.project)),
        Cell::new(run.version),
        Cell::new(&run.trigger),
        state(&run.state),
        Cell::new(run.attempt),
        Cell::new(relative(run.queued_at, now)),
        or_dash(took(&run, now)),
        Cell::new(run.objects),
    ];
    if dropped == DroppedColumn::Shown {
        cells.push(or_dash(Some(run.dropped).filter(|dropped| *dropped > 0)));
    }
    cells.push(or_dash(run.error.map(|error| plain(&error.message))));
    table.add_row(cells);
}

/// What each component of a run counted, as a table; `None` if nothing is known.
pub fn counts(run: &Run) -> Option<String> {
    if run.components.is_empty() {
        return None;
    }
    let mut table = crate::output::table::new(&["COMPONENT", "IN", "OUT", "FILTERED", "FAILED", "DROPPED", "TOOK"])
        .gives_up(&["TOOK", "FILTERED"]);
    for component in &run.components {
        let dropped = component.dropped.iter().map(|dropped| format!("{}: {}", dropped.count, plain(&dropped.reason)));
        let dropped = dropped.collect::<Vec<_>>().join(", ");
        let some = |count: u64| or_dash(Some(count).filter(|count| *count > 0));
        table.add_row([
            Cell::new(plain(&component.id)),
            some(component.taken),
            some(component.given),
            some(component.filtered),
            some(component.failed),
            or_dash(Some(dropped).filter(|dropped| !dropped.is_empty())),
            Cell::new(milliseconds(component.duration_ms as i64)),
        ]);
    }
    Some(crate::output::table::text(&table))
}

/// One run for a person, without its result.
pub fn shown(run: &Run) -> String {
    let now = crate::output::times::now();
    let mut rows = vec![
        ("run", Cell::new(&run.id)),
        ("project", Cell::new(plain(&run.project))),
        ("version", Cell::new(run.version)),
        ("trigger", Cell::new(&run.trigger)),
        ("state", state(&run.state)),
        ("attempt", Cell::new(run.attempt)),
    ];
    rows.extend(run.tick.map(|at| ("tick", Cell::new(absolute(at)))));
    rows.push(("queued", Cell::new(both(run.queued_at, now))));
    rows.extend(run.started_at.map(|at| ("started", Cell::new(both(at, now)))));
    rows.extend(run.ended_at.map(|at| ("ended", Cell::new(both(at, now)))));
    rows.extend(took(run, now).map(|took| ("took", Cell::new(took))));
    rows.push(("objects", Cell::new(run.objects)));
    rows.extend((run.dropped > 0).then(|| ("dropped", Cell::new(run.dropped))));
    rows.extend(run.cancel_requested_at.map(|at| ("cancel asked", Cell::new(both(at, now)))));
    if let Some(error) = &run.error {
        rows.push(("error", Cell::new(plain(&error.to_string()))));
        rows.extend(error.hint.as_ref().map(|hint| ("hint", Cell::new(plain(hint)))));
    }
    crate::output::table::text(&facts(rows))
}

/// With what a run failed, if it did.
pub fn failure(run: &Run) -> Option<Failure> {
    let error = run.error.as_ref()?;
    let message = format!("run `{}` {}: {}", run.id, run.state.replace('_', " "), error);
    Some(Failure { hint: error.hint.as_deref().map(plain), ..Failure::new("run_failed", plain(&message)) })
}

fn took(run: &Run, now: Timestamp) -> Option<String> {
    let so_far = || Some(now.duration_since(run.started_at?).as_millis() as i64);
    let ms = run.duration_ms.or_else(|| if run.is_final() { None } else { so_far() })?;
    Some(milliseconds(ms.max(0)))
}

/// A result as a person reads it: texts as they are, each under its name if there are several, anything else as
/// indented JSON. `None` for that of a pipeline that answers nothing.
pub fn result_text(result: &str) -> Option<String> {
    let Ok(value) = serde_json::from_str::<Value>(result) else { return Some(result.to_owned()) };
    if value.as_object().is_some_and(serde_json::Map::is_empty) {
        return None;
    }
    let parts = value.as_object().and_then(|fields| {
        let fields = fields.iter().filter(|(name, _)| *name != "result_types");
        fields.map(|(name, value)| Some((name, texts(value)?))).collect::<Option<Vec<_>>>()
    });
    Some(match parts.as_deref() {
        Some([(_, only)]) => only.clone(),
        Some(parts @ [_, ..]) => {
            parts.iter().map(|(name, text)| format!("{name}:\n{text}")).collect::<Vec<_>>().join("\n\n")
        }
        _ => texts(&value).unwrap_or_else(|| indented(result)),
    })
}

/// JSON with a line for each field and item. Numbers stay as they are written: their digits may be more than a float has.
fn indented(json: &str) -> String {
    let (mut text, mut depth, mut is_quoted, mut is_escaped) = (String::with_capacity(json.len() * 2), 0, false, false);
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    let mut characters = json.chars().filter(|c| !c.is_control()).peekable();
    while let Some(character) = characters.next() {
        if is_quoted {
            is_quoted = character != '"' || is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            text.push(character);
            continue;
        }
        match character {
            '{' | '[' => {
                text.push(character);
                while characters.peek() == Some(&' ') {
                    characters.next();
                }
                if let Some(closing) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(closing);
                    continue;
                }
                depth += 1;
                line(&mut text, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut text, depth);
                text.push(character);
            }
            ',' => {
                text.push(',');
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            ' ' => {}
            _ => {
                is_quoted = character == '"';
                text.push(character);
            }
        }
    }
    text
}

/// A text, or several of them.
fn texts(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(readable(text.trim_end())),
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(texts).collect::<Option<Vec<_>>>().map(|texts| texts.join("\n"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    fn result_text(result: &str) -> String {
        super::result_text(result).unwrap()
    }

    #[test]
    fn a_pipeline_that_answers_nothing_has_no_text() {
        assert_eq!(super::result_text("{}"), None);
    }

    #[test]
    fn texts_are_shown_as_they_are_and_the_rest_as_json() {
        assert_eq!(result_text(r#"{"a":["x\ny\n","z"],"result_types":{"a":"text"}}"#), "x\ny\nz");
        assert_eq!(result_text(r#"{"a":"x","b":"y"}"#), "a:\nx\n\nb:\ny");
        assert_eq!(
            result_text(r#"{"a":[{"n":1.0, "s":"x, \"[{:}", "e":[], "o":{}}]}"#),
            "{\n  \"a\": [\n    {\n      \"n\": 1.0,\n      \"s\": \"x, \\\"[{:}\",\n      \"e\": [],\n      \"o\": {}\n    }\n  ]\n}"
        );
        assert!(
            result_text(r#"{"a":[123456789012345678901234567890]}"#).contains("    123456789012345678901234567890\n")
        );
    }
}
