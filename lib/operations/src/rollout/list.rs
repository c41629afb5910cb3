//! An owner's rollouts, newest first.

use crate::answer::{self, ListAnswer};
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::rollout::answer::RolloutAnswer;
use serde::Deserialize;
use tidemill_model::ids::GroupName;
use tidemill_model::key::Scope;
use tidemill_model::rollout::Rollout;
use tidemill_store::{PAGE_LIMIT, Page};

/// Pages that are looked through for rollouts of one group before the caller has to ask on.
const PAGES: usize = 10;

pub struct List;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Shows those of one group alone.
    pub group: Option<GroupName>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl crate::Operation for List {
    const NAME: &'static str = "rollout_list";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = ListAnswer<RolloutAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let page = page(plane, call, &input).await?;
        Ok(ListAnswer::of(page, RolloutAnswer::of))
    }
}

/// A page of rollouts. One that is not full is not the last unless it says so.
pub async fn page(plane: &Plane, call: &Call, input: &Input) -> Result<Page<Rollout>, Error> {
    let limit = answer::page_limit(input.limit)?;
    let mut cursor = answer::cursor(input.cursor.as_deref())?;
    let Some(group) = &input.group else {
        return Ok(plane.store.rollouts(&call.owner, cursor.as_ref(), limit).await?);
    };
    let mut items = Vec::new();
    for _ in 0..PAGES {
        // Not more than there is room for: what comes after a page's last item is the next page's.
        let wanted = (limit - items.len()).min(PAGE_LIMIT);
        let Page { items: found, next } = plane.store.rollouts(&call.owner, cursor.as_ref(), wanted).await?;
        items.extend(found.into_iter().filter(|rollout| rollout.group == *group));
        cursor = next;
        if cursor.is_none() || items.len() >= limit {
            break;
        }
    }
    Ok(Page { items, next: cursor })
}
