//! An owner's groups, by name.

use crate::answer::{self, ListAnswer};
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::rollout::answer::GroupAnswer;
use serde::Deserialize;
use tidemill_model::key::Scope;
use tidemill_model::rollout::Group;
use tidemill_store::{Cursor, PAGE_LIMIT, Page};

/// Pages of groups that one answer looks through.
const PAGES: usize = 10;

pub struct List;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl crate::Operation for List {
    const NAME: &'static str = "group_list";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = ListAnswer<GroupAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let limit = answer::page_limit(input.limit)?;
        let mut cursor = answer::cursor(input.cursor.as_deref())?;
        let mut items: Vec<Group> = Vec::new();
        // Removed ones lie between the others; a page is filled up behind them, but not for ever.
        for _ in 0..PAGES {
            let Page { items: found, next } = plane.store.groups(&call.owner, cursor.as_ref(), PAGE_LIMIT).await?;
            items.extend(found.into_iter().filter(|group| !group.is_removed));
            cursor = next;
            if items.len() > limit {
                items.truncate(limit);
                cursor = items.last().map(|last| Cursor::of_group(&last.name));
            }
            if cursor.is_none() || items.len() >= limit {
                break;
            }
        }
        Ok(ListAnswer::of(Page { items, next: cursor }, GroupAnswer::from))
    }
}
