//! The names of an owner's secrets, never their values.

use crate::answer::{self, ListAnswer};
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::secret::set::SecretAnswer;
use serde::Deserialize;
use tidemill_model::key::Scope;

pub struct List;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl crate::Operation for List {
    const NAME: &'static str = "secret_list";
    const SCOPE: Option<Scope> = Some(Scope::Admin);
    type Input = Input;
    type Output = ListAnswer<SecretAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let limit = answer::page_limit(input.limit)?;
        let cursor = answer::cursor(input.cursor.as_deref())?;
        let page = plane.store.secrets(&call.owner, cursor.as_ref(), limit).await?;
        Ok(ListAnswer::of(page, SecretAnswer::from))
    }
}
