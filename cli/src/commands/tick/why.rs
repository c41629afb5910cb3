//! `tidemill why`: why there was a run at some minute, or why there was none.

use crate::api::client::Path;
use crate::api::views::Why;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table::{facts, state, text};
use crate::output::times::{self, Given, both, both_in};
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
    #[arg(add = names::projects())]
    project: String,
    /// RFC 3339, `HH:MM[:SS]` of today, `yesterday 03:00`, `monday 07:00`, `2026-11-21 09:05`, seconds since 1970, or
    /// `15m` for that long ago. A time without a zone is in the zone of TZ, or in UTC, unless --timezone is given
    #[arg(value_parser = times::past)]
    time: Given,
    /// The IANA time zone of TIME [default: the zone of TZ, or UTC]
    #[arg(long, value_name = "ZONE", value_parser = times::named_zone, conflicts_with_all = ["utc", "local"])]
    timezone: Option<TimeZone>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let now = crate::output::times::now();
    let time = match &args.timezone {
        Some(zone) => args.time.instant_in(zone)?,
        None => args.time.instant()?,
    };
    let path = Path::new(&["deployments", &args.project, "why"]).with("time", time);
    let answer = session.client()?.get(&path).await?;
    let why: Why = answer.read()?;
    session.output.done(&answer.text, shown(&why, now));
    Ok(Exit::Done)
}

fn shown(why: &Why, now: Timestamp) -> String {
    let zone = why.timezone.as_deref();
    let both = |at: Timestamp| match zone {
        Some(zone) => both_in(at, now, zone),
        None => both(at, now),
    };
    let mut rows = vec![("time", Cell::new(both(why.time))), ("outcome", state(&why.outcome))];
    rows.extend(why.schedule.as_ref().map(|schedule| {
        let zone = zone.map(|zone| format!(" ({zone})")).unwrap_or_default();
        ("schedule", Cell::new(format!("{schedule}{zone}")))
    }));
    rows.extend(why.clock_note.as_ref().map(|note| ("clock", Cell::new(note))));
    rows.extend(why.run.as_ref().map(|run| ("run", Cell::new(run))));
    rows.extend(why.previous.map(|at| ("due before", Cell::new(both(at)))));
    rows.extend(why.next.map(|at| ("due after", Cell::new(both(at)))));
    format!("{}\n\n{}", text(&facts(rows)), why.explanation)
}
