//! What happened to a project's versions and environments, in the words of RocketRide's newer clients.

use super::arguments::{project, text};
use super::page;
use super::team::{self, actor, team_id};
use super::{CommandRequest, seconds};
use crate::dap::failure::Failure;
use crate::dap::frame::Body;
use serde_json::{Value, json};
use tidemill_model::audit;
use tidemill_operations::environment::{self, history::Event};
use tidemill_operations::{Call, Code};

pub async fn history(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = request;
    let project = project(&arguments)?;
    let environment = text(&arguments, "teamId")?.map(|team| team::environment(&call, &team)).transpose()?;
    let found = match environment::history::all(&plane, &call, &project, environment.as_ref()).await {
        Err(error) if error.code == Code::NotFound => Vec::new(),
        found => found?,
    };
    let found = found.iter().filter_map(|event| row(&call, event)).collect();
    page::page(found, &arguments, &["action", "teamId"])
}

/// `None` for what the clients have no word for: changes of schedules and of diagnostics.
fn row(call: &Call, event: &Event) -> Option<Value> {
    let went_back = event.from_version.is_some_and(|from| from > event.version);
    let action = action(&event.operation, went_back)?;
    let team = event.environment.as_deref().map(|name| team_id(call, name)).unwrap_or_default();
    Some(json!({
        "seq": event.number,
        "at": seconds(event.at),
        "action": action,
        "teamId": team,
        "version": event.version,
        "actor": actor(call),
    }))
}

/// What the clients call a change.
pub fn action(operation: &audit::Operation, went_back: bool) -> Option<&'static str> {
    Some(match operation {
        audit::Operation::VersionAdd => "publish",
        audit::Operation::EnvironmentDeploy | audit::Operation::EnvironmentPromote if went_back => "rollback",
        audit::Operation::EnvironmentDeploy | audit::Operation::EnvironmentPromote => "deploy",
        audit::Operation::EnvironmentRollback => "rollback",
        audit::Operation::EnvironmentEnable => "enable",
        audit::Operation::EnvironmentDisable => "disable",
        audit::Operation::EnvironmentRemove => "remove",
        audit::Operation::SourcePause => "pause",
        audit::Operation::SourceResume => "resume",
        audit::Operation::EnvironmentRun => "run",
        // A tick changes a source by itself only when its key is not valid any more.
        audit::Operation::DeploymentTick => "errored",
        _ => return None,
    })
}
