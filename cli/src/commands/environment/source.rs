//! `tidemill env source`: how a source runs in an environment.

use super::place::Place;
use crate::failure::{Exit, Failure};
use crate::output::table::plain;
use crate::output::times;
use crate::session::Session;
use serde_json::{Map, json};

/// Set when a source runs in an environment, pause or resume it, or set what its runs record
///
/// What is not given stays as it is; a new schedule replaces the time zone and the time limit, too.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill env source orders timer_1 --env staging --schedule '0 6 * * mon-fri' --timezone Europe/Madrid
  tidemill env source orders timer_1 --env staging --pause
  tidemill env source orders timer_1 --env staging --schedule manual")]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// The id of the component that runs start at
    source: String,
    /// When it runs: five cron fields, `@hourly` and the like, or `manual` [default: as it is]
    #[arg(long, value_name = "SCHEDULE", required_unless_present_any = ["pause", "resume", "trace"])]
    schedule: Option<String>,
    /// The IANA time zone that the schedule means, e.g. `Europe/Madrid` [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "schedule")]
    timezone: Option<String>,
    /// How long a run by schedule may take, e.g. `90s` or `5m` [default: `1d`]
    #[arg(long = "timeout", value_name = "TIME", value_parser = times::whole_seconds, requires = "schedule")]
    ttl_seconds: Option<u32>,
    /// Skip its ticks
    #[arg(long, conflicts_with = "resume")]
    pause: bool,
    /// Run by the schedule again
    #[arg(long)]
    resume: bool,
    /// How much its runs record of each object's way through the pipeline [default: as it is]
    #[arg(long, value_name = "LEVEL", value_parser = ["none", "metadata", "summary", "full"])]
    trace: Option<String>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let mut body = Map::new();
    if let Some(schedule) = &args.schedule {
        let schedule = json!({"schedule": schedule, "timezone": args.timezone, "ttlSeconds": args.ttl_seconds});
        body.insert("schedule".into(), schedule);
    }
    if args.pause || args.resume {
        body.insert("paused".into(), args.pause.into());
    }
    if let Some(trace) = &args.trace {
        body.insert("diagnostics".into(), json!({"trace": trace}));
    }
    let path = args.place.path(&["sources", &args.source]);
    let answer = session.client()?.patch(&path, json!(body).to_string()).await?;
    session.output.done(&answer.text, format_args!("changed source `{}` of {}", plain(&args.source), args.place));
    Ok(Exit::Done)
}
