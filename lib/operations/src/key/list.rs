//! An owner's keys, oldest first, without the keys themselves.

use crate::answer::{self, KeyAnswer, ListAnswer};
use crate::error::Error;
use crate::plane::{Call, Plane};
use jiff::Timestamp;
use serde::Deserialize;
use tidemill_model::ids::OwnerId;
use tidemill_model::key::Scope;
use tidemill_store::Store;

pub struct List;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl crate::Operation for List {
    const NAME: &'static str = "key_list";
    const SCOPE: Option<Scope> = Some(Scope::Admin);
    type Input = Input;
    type Output = ListAnswer<KeyAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        list(&plane.store, &call.owner, input, call.now).await
    }
}

/// Lists any owner's keys; an operator may who has the table at hand.
pub async fn list(
    store: &Store,
    owner: &OwnerId,
    input: Input,
    now: Timestamp,
) -> Result<ListAnswer<KeyAnswer>, Error> {
    let limit = answer::page_limit(input.limit)?;
    let cursor = answer::cursor(input.cursor.as_deref())?;
    let page = store.keys(owner, cursor.as_ref(), limit).await?;
    Ok(ListAnswer::of(page, |key| KeyAnswer::of(key, now)))
}
