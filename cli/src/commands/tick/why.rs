//! `tidemill why`: why there was a run at some minute, or why there was none.

use crate::api::client::Path;
use crate::api::views::Why;
use crate::failure::{Exit, Failure};
use crate::output::table::{facts, state, text};
use crate::output::times::{self, Toward, both};
use crate::session::Session;
use comfy_table::Cell;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Explain why a run started at some minute, or why none did
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill why orders 09:05
  tidemill why orders 2026-11-21T09:05:00Z
  tidemill why orders 09:05 --timezone Europe/Madrid")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    project: String,
    /// RFC 3339, `HH:MM[:SS]` of today, `yesterday 03:00`, `monday 07:00`, `2026-11-21 09:05`, seconds since 1970, or
    /// `15m` for that long ago. A time without a zone is UTC, as schedules are, unless --timezone is given
    time: String,
    /// The IANA time zone of TIME
    #[arg(long, value_name = "ZONE", value_parser = times::zone)]
    timezone: Option<TimeZone>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let now = crate::output::times::now();
    let zone = args.timezone.unwrap_or(TimeZone::UTC);
    let time = times::instant(&args.time, &zone, now, Toward::Past)
        .map_err(|message| Failure::argument(message, "see `tidemill why --help`"))?;
    let path = Path::new(&["deployments", &args.project, "why"]).with("time", time);
    let answer = session.client()?.get(&path).await?;
    let why: Why = answer.read()?;
    session.output.done(&answer.text, shown(&why, now));
    Ok(Exit::Done)
}

fn shown(why: &Why, now: Timestamp) -> String {
    let mut rows = vec![("time", Cell::new(both(why.time, now))), ("outcome", state(&why.outcome))];
    rows.extend(why.schedule.as_ref().map(|schedule| ("schedule", Cell::new(schedule))));
    rows.extend(why.clock_note.as_ref().map(|note| ("clock", Cell::new(note))));
    rows.extend(why.run.as_ref().map(|run| ("run", Cell::new(run))));
    rows.extend(why.previous.map(|at| ("due before", Cell::new(both(at, now)))));
    rows.extend(why.next.map(|at| ("due after", Cell::new(both(at, now)))));
    format!("{}\n\n{}", text(&facts(rows)), why.explanation)
}
