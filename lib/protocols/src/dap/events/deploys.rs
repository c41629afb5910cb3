//! `apaevt_deploy`: a deployment changed, and newer clients read it again.

use super::{Event, Recipient};
use crate::dap::commands::{change_action, team_id};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use tidemill_model::ids::RunId;
use tidemill_operations::Error;
use tidemill_operations::environment::{self, notices::Notice};

/// How much later than its time a notice may be written and still makes an event: a transaction takes no longer, and clocks
/// differ by less.
const LATE: SignedDuration = SignedDuration::from_secs(30);

/// The notices that made events or came before, as far as they are read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeProgress(BTreeSet<RunId>);

impl NoticeProgress {
    pub async fn at_present(recipient: &Recipient<'_>) -> Result<NoticeProgress, Error> {
        let now = read(recipient).await?;
        Ok(NoticeProgress(now.into_iter().map(|notice| notice.id).collect()))
    }

    /// What has changed since.
    pub async fn changes(&mut self, recipient: &Recipient<'_>) -> Result<Vec<Event>, Error> {
        let found = read(recipient).await?;
        let events = found.iter().filter(|notice| !self.0.contains(&notice.id)).map(|notice| event(recipient, notice));
        let events = events.collect();
        self.0 = found.into_iter().map(|notice| notice.id).collect();
        Ok(events)
    }
}

async fn read(recipient: &Recipient<'_>) -> Result<Vec<Notice>, Error> {
    environment::notices::since(recipient.plane, recipient.call, recipient.plane.now() - LATE).await
}

/// It names what changed and says nothing of how it is now.
fn event(recipient: &Recipient<'_>, notice: &Notice) -> Event {
    let team = notice.environment.as_ref().map(|name| team_id(recipient.call, name.as_str()));
    let body = json!({
        "orgId": recipient.call.owner,
        "teamId": team.unwrap_or_default(),
        "projectId": notice.project,
        "action": change_action(&notice.operation, notice.went_back).unwrap_or("update"),
    });
    ("apaevt_deploy", body)
}
