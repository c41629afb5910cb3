//! Makes an API key for its caller's owner, and shows it once.

use crate::ambient::Ambient;
use crate::answer::KeyAnswer;
use crate::error::Error;
use crate::plane::{Call, Plane};
use jiff::Timestamp;
use serde::Deserialize;
use tidemill_model::ids::{KeyId, OwnerId};
use tidemill_model::invalid::Invalid;
use tidemill_model::key::{Key, Scope, Token};
use tidemill_store::Store;

/// Longest name of a key, in characters.
const NAME_LIMIT: usize = 256;

pub struct Create;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Everything but `admin` unless it is given.
    pub scopes: Option<Vec<Scope>>,
    /// What it is for.
    pub name: Option<String>,
    pub expires_at: Option<Timestamp>,
}

impl crate::Operation for Create {
    const NAME: &'static str = "key_create";
    const SCOPE: Option<Scope> = Some(Scope::Admin);
    type Input = Input;
    type Output = KeyAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<KeyAnswer, Error> {
        let (key, token) = make(&plane.store, plane.ambient.as_ref(), plane.kind, call.owner.clone(), input).await?;
        Ok(KeyAnswer { key: Some(token.expose().to_owned()), ..KeyAnswer::of(key, call.now) })
    }
}

/// Makes a key for any owner: for the operator of a plane, who has its table.
pub async fn make(
    store: &Store,
    ambient: &dyn Ambient,
    kind: tidemill_model::key::KeyKind,
    owner: OwnerId,
    input: Input,
) -> Result<(Key, Token), Error> {
    let now = ambient.now();
    check(&input, now)?;
    let mut random = [0; 32];
    ambient.fill(&mut random);
    let token = Token::new(kind, random);
    let mut scopes = input.scopes.unwrap_or_else(|| Scope::DEFAULT.to_vec());
    scopes.sort_unstable();
    scopes.dedup();
    let key = Key {
        id: KeyId::new(now, ambient.random_u128()),
        owner,
        hash: token.hash(),
        scopes,
        name: input.name,
        created_at: now,
        expires_at: input.expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    store.transaction().new_key(&key)?.commit().await?;
    Ok((key, token))
}

fn check(input: &Input, now: Timestamp) -> Result<(), Error> {
    if input.scopes.as_ref().is_some_and(Vec::is_empty) {
        return Err(Invalid::new("scopes", "the key would have no scope", "leave `scopes` out, or name one").into());
    }
    if input.name.as_ref().is_some_and(|name| name.chars().count() > NAME_LIMIT) {
        let message = format!("the name has more than {NAME_LIMIT} characters");
        return Err(Invalid::new("name", message, "shorten it").into());
    }
    if let Some(at) = input.expires_at.filter(|at| *at <= now) {
        return Err(Invalid::new("expiresAt", format!("`{at}` is in the past"), "give a later instant").into());
    }
    Ok(())
}
