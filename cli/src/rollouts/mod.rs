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

use crate::api::beginning;
use crate::api::client::{self, Answer, Client, Path};
use crate::api::pages::{List, PAGE_LIMIT};
use crate::failure::{Exit, Failure};
use crate::rollouts::views::{Group, Rollout};
use serde_json::Value;
use tidemill_model::ids::{RolloutId, RunId};

/// Finds a rollout by its id or the beginning of it, in upper or lower case, or the newest one of a group.
pub async fn find(client: &Client, rollout_or_group: &str) -> Result<Rollout, Failure> {
    let id = rollout_or_group.to_ascii_uppercase();
    if RolloutId::parse(&id).is_ok() {
        match client.get(&path(&id)).await {
            Err(failure) if failure.exit == Exit::NotFound => {}
            answer => return answer?.read(),
        }
    }
    let found = match client.get(&Path::new(&["groups", rollout_or_group])).await {
        Err(failure) if failure.exit == Exit::NotFound => match only(client, &id).await? {
            Some(id) => Some(id),
            None => newest(client, rollout_or_group).await?,
        },
        answer => answer?.read::<Group>()?.last_rollout,
    };
    let id = found.ok_or_else(|| {
        Failure::new("not_found", format!("there is no rollout `{rollout_or_group}`, and none of a group of that name"))
            .hint("`tidemill rollouts` lists them; they are kept for 30 days")
            .exit(Exit::NotFound)
    })?;
    client.get(&path(&id)).await?.read()
}

/// The only rollout whose id begins so, if a rollout's id can. Lists are newest first, and ids begin with their time.
async fn only(client: &Client, beginning: &str) -> Result<Option<String>, Failure> {
    let Some((first, last)) = RunId::first_and_last(beginning).filter(|(first, last)| first != last) else {
        return Ok(None);
    };
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let path = Path::new(&["rollouts"]).with("limit", PAGE_LIMIT).with_some("cursor", cursor);
        let page: List = client.get(&path).await?.read()?;
        let mut is_past = false;
        for item in &page.items {
            let id = client::read::<Rollout>(item.get())?.id;
            is_past |= id.as_str() < first.as_str();
            if first.as_str() <= id.as_str() && id.as_str() <= last.as_str() {
                found.push((id.clone(), id));
            }
        }
        cursor = page.next.filter(|_| !is_past && found.len() <= beginning::SHOWN);
        if cursor.is_none() {
            return beginning::only("rollout", beginning, found, false);
        }
    }
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
