//! Runs as several commands need them: found by id or by project, and shown.

use crate::client::{Client, Path};
use crate::failure::{Exit, Failure};
use crate::pages::List;
use crate::table::{facts, or_dash, plain, state};
use crate::times::{absolute, both, milliseconds, relative};
use crate::views::Run;
use comfy_table::{Cell, Table};
use jiff::Timestamp;
use tidemill_model::ids::RunId;

/// Finds a run by its id, or the newest run of a project.
pub async fn find(client: &Client, run_or_project: &str) -> Result<Run, Failure> {
    if RunId::parse(run_or_project).is_ok() {
        match client.get(&Path::new(&["runs", run_or_project])).await {
            Err(failure) if failure.exit == Exit::NotFound => {}
            answer => return answer?.read(),
        }
    }
    newest(client, run_or_project).await?.ok_or_else(|| {
        Failure::new("not_found", format!("project `{run_or_project}` has not run yet"))
            .hint(format!("start it with `tidemill run {run_or_project}`"))
            .exit(Exit::NotFound)
    })
}

/// The newest run of a project, if it ever ran.
pub async fn newest(client: &Client, project: &str) -> Result<Option<Run>, Failure> {
    let list: List = client.get(&Path::new(&["runs"]).with("project", project).with("limit", 1)).await?.read()?;
    let read = |item: &Box<serde_json::value::RawValue>| crate::client::Answer { text: item.get().to_owned() }.read();
    list.items.first().map(read).transpose()
}

/// Where a run is found without the help of the index, which may lag behind.
pub fn path(run: &Run) -> Path {
    Path::new(&["runs", &run.id]).with("project", &run.project)
}

pub fn columns() -> Table {
    crate::table::new(&[
        "RUN", "PROJECT", "VERSION", "TRIGGER", "STATE", "ATTEMPT", "QUEUED", "TOOK", "OBJECTS", "ERROR",
    ])
}

pub fn row(table: &mut Table, run: Run) {
    let now = Timestamp::now();
    table.add_row([
        Cell::new(&run.id),
        Cell::new(plain(&run.project)),
        Cell::new(run.version),
        Cell::new(&run.trigger),
        state(&run.state),
        Cell::new(run.attempt),
        Cell::new(relative(run.queued_at, now)),
        or_dash(took(&run, now)),
        Cell::new(run.objects),
        or_dash(run.error.map(|error| plain(&error.message))),
    ]);
}

/// One run for a person, without its result.
pub fn shown(run: &Run) -> String {
    let now = Timestamp::now();
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
    rows.extend(run.cancel_requested_at.map(|at| ("cancel asked", Cell::new(both(at, now)))));
    if let Some(error) = &run.error {
        let place = error.component.as_ref().map(|component| format!("{component}: ")).unwrap_or_default();
        rows.push(("error", Cell::new(plain(&format!("{place}{}", error.message)))));
        rows.extend(error.hint.as_ref().map(|hint| ("hint", Cell::new(plain(hint)))));
    }
    crate::table::text(&facts(rows))
}

fn took(run: &Run, now: Timestamp) -> Option<String> {
    let so_far = || Some(now.duration_since(run.started_at?).as_millis() as i64);
    let ms = run.duration_ms.or_else(|| if run.is_final() { None } else { so_far() })?;
    Some(milliseconds(ms.max(0)))
}

/// A result as a person reads it: text as text, anything else as indented JSON.
pub fn result_text(result: &str) -> String {
    match serde_json::from_str(result) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_else(|_| result.to_owned()),
        Err(_) => result.to_owned(),
    }
}
