//! `tidemill schedule`: due times of an expression.

use crate::failure::{Exit, Failure};
use crate::output::table;
use crate::output::times::{self, Given, relative};
use crate::schedule::lines;
use crate::schedule::text::{parse, refused};
use crate::session::Session;
use comfy_table::Cell;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Preview schedules, without a plane
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill schedule next '*/15 9-17 * * mon-fri' --timezone Europe/Madrid")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Next(Next),
}

/// Show when an expression is due next
///
/// With --jsonl it reads lines `{"expr": "…", "start": 1795255200}` from standard input and answers each at once with
/// `{"expr", "start", "valid", "next": [five times], "error"}`. Times are seconds since 1970, `next` is strictly after
/// `start`, and a line may name a `timezone`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill schedule next '0 6 * * mon-fri' --count 3
  tidemill schedule next @daily --from 2026-12-31T23:00:00Z --timezone Asia/Tokyo
  echo '{\"expr\": \"*/5 * * * *\", \"start\": 1795255200}' | tidemill schedule next --jsonl")]
struct Next {
    /// Five cron fields, `@hourly` and the like, or `manual`
    #[arg(required_unless_present = "jsonl", conflicts_with = "jsonl", allow_hyphen_values = true)]
    expr: Option<String>,
    /// How many times to show
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    /// Strictly after this time: RFC 3339, `HH:MM` of today, or seconds since 1970 [default: now]
    #[arg(long, value_name = "TIME", value_parser = times::future)]
    from: Option<Given>,
    /// The IANA time zone of the expression
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: String,
    /// Answer JSON lines from standard input
    #[arg(long)]
    jsonl: bool,
}

pub fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let Command::Next(next) = args.command;
    if next.jsonl {
        return lines::answer(std::io::stdin().lock(), std::io::stdout().lock());
    }
    let expr = next.expr.clone().unwrap_or_default();
    let schedule = parse(&expr, &next.timezone).map_err(|error| refused(&expr, &error).exit(Exit::Usage))?;
    let from = next.from.as_ref().map(Given::instant).transpose()?.unwrap_or_else(times::now);
    let due: Vec<Timestamp> = schedule.ticks_after(from).take(next.count as usize).collect();
    let notes: Vec<Option<String>> = due.iter().map(|at| schedule.clock_note(*at)).collect();
    match session.output.is_json() {
        true => {
            let notes =
                due.iter().zip(notes).filter_map(|(at, note)| Some(ClockNote { at: *at, note: note? })).collect();
            session.output.json(&Preview { expr: &expr, timezone: &next.timezone, from, next: due, notes });
        }
        false => session.output.line(shown(&due, &notes, &next.timezone)),
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Preview<'a> {
    expr: &'a str,
    timezone: &'a str,
    from: Timestamp,
    next: Vec<Timestamp>,
    notes: Vec<ClockNote>,
}

/// What a change of the clock means for a due time.
#[derive(Serialize)]
struct ClockNote {
    at: Timestamp,
    note: String,
}

fn shown(due: &[Timestamp], notes: &[Option<String>], zone: &str) -> String {
    if due.is_empty() {
        return "it is never due by itself".to_owned();
    }
    let now = crate::output::times::now();
    let (general, own) = (times::heading("DUE"), format!("DUE ({zone})"));
    // In the zone of the command, to compare with other times, and in the schedule's own where that is another.
    let schedules = TimeZone::get(zone).ok().filter(|_| own != general);
    let has_notes = notes.iter().any(Option::is_some);
    let columns =
        [Some(general.as_str()), schedules.as_ref().map(|_| own.as_str()), Some("IN"), has_notes.then_some("NOTE")];
    let columns: Vec<&str> = columns.into_iter().flatten().collect();
    let mut shown = table::new(&columns).gives_up(&["IN", "NOTE"]);
    for (at, note) in due.iter().zip(notes) {
        let mut row = vec![Cell::new(times::bare(*at))];
        row.extend(schedules.as_ref().map(|zone| Cell::new(times::due(*at, zone))));
        row.push(Cell::new(relative(*at, now)));
        row.extend(note.as_ref().map(Cell::new));
        shown.add_row(row);
    }
    table::text(&shown)
}
