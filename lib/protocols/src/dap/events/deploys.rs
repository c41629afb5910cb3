//! That a deployment changed (`apaevt_deploy`): newer clients read it again when they are told.

use super::{Asker, Event};
use crate::dap::commands::{change_action, team_id};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use tidemill_model::ids::RunId;
use tidemill_operations::Error;
use tidemill_operations::environment::{self, notices::Notice};

/// How much later than its time a notice may be written and is still told: a transaction takes no longer, and clocks
/// differ by less.
const LATE: SignedDuration = SignedDuration::from_secs(30);

/// The notices that were told or came before, as far as they are read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known(BTreeSet<RunId>);

impl Known {
    pub async fn at_present(asker: &Asker<'_>) -> Result<Known, Error> {
        let now = read(asker).await?;
        Ok(Known(now.into_iter().map(|notice| notice.id).collect()))
    }

    /// What has changed since.
    pub async fn changes(&mut self, asker: &Asker<'_>) -> Result<Vec<Event>, Error> {
        let found = read(asker).await?;
        let events = found.iter().filter(|notice| !self.0.contains(&notice.id)).map(|notice| event(asker, notice));
        let events = events.collect();
        self.0 = found.into_iter().map(|notice| notice.id).collect();
        Ok(events)
    }
}

async fn read(asker: &Asker<'_>) -> Result<Vec<Notice>, Error> {
    environment::notices::since(asker.plane, asker.call, asker.plane.now() - LATE).await
}

/// It names what changed and says nothing of how it is now.
fn event(asker: &Asker<'_>, notice: &Notice) -> Event {
    let team = notice.environment.as_ref().map(|name| team_id(asker.call, name.as_str()));
    let body = json!({
        "orgId": asker.call.owner,
        "teamId": team.unwrap_or_default(),
        "projectId": notice.project,
        "action": change_action(&notice.operation, notice.went_back).unwrap_or("update"),
    });
    ("apaevt_deploy", body)
}
