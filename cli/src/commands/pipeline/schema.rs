//! `tidemill schema`: the JSON Schema by which an editor completes and checks a file.

use crate::failure::{Exit, Failure};
use crate::session::Session;
use tidemill_plan::schemas::{Subject, schema};

/// Print the JSON Schema of a pipeline or a deploy file, for editors
///
/// A plane serves the same at `GET /v1/schema`, which a file can name as its `$schema`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill schema > tidemill.schema.json
  tidemill schema deploy")]
pub struct Args {
    /// What the schema describes [default: a file that holds either]
    #[arg(value_name = "SUBJECT", value_parser = ["pipeline", "deploy"])]
    of: Option<String>,
}

pub fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let subject = args.of.as_deref().and_then(Subject::named).unwrap_or_default();
    let schema = schema(subject, tidemill_engine::catalogue().iter());
    match session.output.is_json() {
        true => session.output.json(&schema),
        false => session.output.line(serde_json::to_string_pretty(&schema).expect("a schema is JSON")),
    }
    Ok(Exit::Done)
}
