//! RocketRide's teams are our environments; `@me`, the caller's own, is shown as `user~<owner>`.

use super::arguments::{project, required};
use crate::dap::failure::Failure;
use crate::dap::frame::{Arguments, shown};
use serde_json::{Value, json};
use tidemill_model::ids::EnvironmentName;
use tidemill_operations::{Call, Code, Error, Noun, OfEnvironment};

/// What the caller's own environment is called in answers.
const OWN_PREFIX: &str = "user~";

/// What teams may be called.
const TEAM_NAMES: &str = "hint: a team has 1 to 64 of `a-z A-Z 0-9 . _ -`, or is `@me`, your own";

/// The environment that the arguments name.
pub fn named(call: &Call, arguments: &Arguments) -> Result<OfEnvironment, Failure> {
    let project = project(arguments)?;
    Ok(OfEnvironment { project, environment: environment(call, &required(arguments, "teamId")?)? })
}

/// The environment that a team is. A caller may have any, but none of another owner.
pub fn environment(call: &Call, team: &str) -> Result<EnvironmentName, Failure> {
    let name = match team.strip_prefix(OWN_PREFIX) {
        Some(owner) if owner == call.owner.as_str() => EnvironmentName::OWN,
        Some(_) => {
            let message = format!("No membership in team '{}'", shown(team));
            return Err(Failure::new(message).code(Code::PermissionDenied));
        }
        None => team,
    };
    EnvironmentName::parse(name).map_err(|_| {
        let message = format!("'{}' is no name of a team; {TEAM_NAMES}", shown(team));
        Failure::new(message).code(Code::InvalidArgument)
    })
}

pub fn team_id(call: &Call, environment: &str) -> String {
    match environment {
        EnvironmentName::OWN => format!("{OWN_PREFIX}{}", call.owner),
        name => name.to_owned(),
    }
}

/// What to answer where an environment, or its source, is missing.
pub fn not_there(call: &Call, of: &OfEnvironment, error: Error) -> Failure {
    if error.code != Code::NotFound || error.missing == Some(Noun::Source) {
        return error.into();
    }
    let team = team_id(call, of.environment.as_str());
    Failure::new(format!("No deployment of {} for team {team}", of.project)).code(Code::NotFound)
}

/// An owner has no other members.
pub fn actor(call: &Call) -> Value {
    json!({"userId": call.owner, "display": call.owner, "email": ""})
}
