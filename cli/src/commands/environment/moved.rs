//! What is printed when an environment's live version was set.

use super::place::Place;
use super::views::Environment;
use crate::api::client::Answer;
use crate::failure::{Exit, Failure};
use crate::output::table::plain;
use crate::session::Session;

/// From which version to which, and what is probably not meant.
pub fn print(session: &Session, place: &Place, answer: &Answer) -> Result<Exit, Failure> {
    let environment: Environment = answer.read()?;
    session.output.warnings(&environment.warnings);
    let (project, name, version) = (plain(&place.project), plain(&place.env), environment.version);
    let before = match environment.from_version {
        None => "the first there".to_owned(),
        Some(before) if before == version => "as before".to_owned(),
        Some(before) => format!("before it version {before}"),
    };
    session.output.done(&answer.text, format_args!("version {version} of `{project}` is live in `{name}`, {before}"));
    if environment.state == "disabled" {
        session.output.note(format_args!("`{name}` is disabled: `tidemill env enable {project} --env {name}`"));
    }
    Ok(Exit::Done)
}
