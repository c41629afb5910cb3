//! `tidemill env list`: what is live where.

use super::views::{Environment, Source};
use crate::api::client::Path;
use crate::api::pages::PageOptions;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, or_dash, plain, state};
use crate::output::times::{self, relative};
use crate::session::Session;
use comfy_table::Cell;

/// List which version of which project is live in which environment
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill env list
  tidemill env list --env staging
  tidemill env list --project orders --json")]
pub struct Args {
    /// Only this environment [default: all]
    #[arg(long, value_name = "NAME", add = names::environments())]
    env: Option<String>,
    /// Only this project [default: all]
    #[arg(long, value_name = "PROJECT", add = names::placed_projects())]
    project: Option<String>,
    #[command(flatten)]
    wanted: PageOptions,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let path =
        Path::new(&["environments"]).with_some("environment", args.env).with_some("project", args.project.as_deref());
    let list = args.wanted.fetch(&session.client()?, &path).await?;
    let now = times::now();
    let columns = table::new(&["ENVIRONMENT", "PROJECT", "VERSION", "STATE", "SCHEDULES", "DEPLOYED"]).gives_up(&[
        "DEPLOYED",
        "SCHEDULES",
        "STATE",
    ]);
    list.print(session, "no version is live in an environment", columns, |table, one: Environment| {
        table.add_row([
            Cell::new(plain(&one.environment)),
            Cell::new(plain(&one.project)),
            Cell::new(one.version),
            state(&one.state),
            or_dash(schedules(&one)),
            Cell::new(relative(one.deployed_at, now)),
        ]);
    })?;
    Ok(Exit::Done)
}

fn schedules(environment: &Environment) -> Option<String> {
    let is_scheduled = |source: &Source| source.schedule != "manual";
    let sources = environment.sources.iter().filter(|(_, source)| is_scheduled(source));
    let texts: Vec<String> = sources.map(|(id, source)| plain(&format!("{id}: {}", source.schedule))).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}
