//! Makes an API key for any owner, also the very first one: for the operator of a plane in the cloud.
//!
//! It asks for no key: AWS has checked already that the caller may invoke it. On a laptop the plane makes its own first
//! key.

use crate::answer::KeyAnswer;
use crate::error::Error;
use crate::key::create;
use crate::plane::Plane;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidemill_model::ids::OwnerId;
use tidemill_model::key::Scope;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Whom the key is for; an owner exists from the first key on.
    pub owner: OwnerId,
    /// All of them unless they are given: the first key is the one that others are made with.
    pub scopes: Option<Vec<Scope>>,
    /// What it is for.
    pub name: Option<String>,
    pub expires_at: Option<Timestamp>,
}

#[derive(Serialize)]
pub struct Output {
    pub owner: OwnerId,
    #[serde(flatten)]
    pub key: KeyAnswer,
}

/// Makes the key; the answer is the only place where it is shown.
pub async fn run(plane: &Plane, input: Input) -> Result<Output, Error> {
    let Input { owner, scopes, name, expires_at } = input;
    let asked = create::Input { scopes: Some(scopes.unwrap_or_else(|| Scope::ALL.to_vec())), name, expires_at };
    // A stack makes its table without rows, and the first key comes before the first record.
    plane.store.note_layout().await?;
    let (key, token) = create::make(&plane.store, plane.ambient.as_ref(), plane.kind, owner.clone(), asked).await?;
    tracing::info!(key.id = %key.id, "a key was issued with AWS credentials alone");
    let shown = KeyAnswer { key: Some(token.expose().to_owned()), ..KeyAnswer::of(key, plane.now()) };
    Ok(Output { owner, key: shown })
}
