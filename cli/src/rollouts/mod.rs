//! Rollouts, as several commands need them: the request ([`input`], [`git`],
//! [`missing`]), how one is started after another
//! ([`begin`]), how it is followed ([`follow`]), both together ([`carry`]), and what people see of it ([`bar`],
//! [`shown`], [`preview`]).

pub mod bar;
pub mod begin;
pub mod carry;
pub mod follow;
pub mod git;
pub mod input;
pub mod missing;
pub mod preview;
mod preview_time;
pub mod shown;
pub mod views;

use crate::api::client::{self, Answer, Client, Path};
use crate::api::pages::{List, PAGE_LIMIT};
use crate::failure::{Exit, Failure};
use crate::rollouts::views::{Group, Rollout};
use serde_json::Value;
use tidemill_model::ids::RolloutId;

/// Finds a rollout by its id, or the newest one of a group.
pub async fn find(client: &Client, rollout_or_group: &str) -> Result<Rollout, Failure> {
    if RolloutId::parse(rollout_or_group).is_ok() {
        match client.get(&path(rollout_or_group)).await {
            Err(failure) if failure.exit == Exit::NotFound => {}
            answer => return answer?.read(),
        }
    }
    let found = match client.get(&Path::new(&["groups", rollout_or_group])).await {
        Err(failure) if failure.exit == Exit::NotFound => newest(client, rollout_or_group).await?,
        answer => answer?.read::<Group>()?.last_rollout,
    };
    let id = found.ok_or_else(|| {
        Failure::new("not_found", format!("there is no rollout `{rollout_or_group}`, and none of a group of that name"))
            .hint("`tidemill rollouts` lists them; they are kept for 30 days")
            .exit(Exit::NotFound)
    })?;
    client.get(&path(&id)).await?.read()
}

/// The newest rollout of a group that is not there any more: the one that took it off. The plane looks for it among so
/// many rollouts at a time, so an empty page is not the end.
async fn newest(client: &Client, group: &str) -> Result<Option<String>, Failure> {
    let path = Path::new(&["rollouts"]).with("group", group).with("limit", PAGE_LIMIT);
    let mut cursor = None;
    loop {
        let page: List = client.get(&path.clone().with_some("cursor", cursor)).await?.read()?;
        match (page.items.first(), page.next) {
            (Some(newest), _) => return Ok(Some(client::read::<Rollout>(newest.get())?.id)),
            (None, None) => return Ok(None),
            (None, next) => cursor = next,
        }
    }
}

pub fn path(rollout: &str) -> Path {
    Path::new(&["rollouts", rollout])
}

/// A rollout as it was answered, without its resources.
pub fn without_items(answer: &Answer) -> Result<serde_json::Map<String, Value>, Failure> {
    let mut rollout: serde_json::Map<String, Value> = answer.read()?;
    rollout.shift_remove("items");
    Ok(rollout)
}
