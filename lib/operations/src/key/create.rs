//! Makes an API key for its caller's owner, and shows it once.

use crate::Operation;
use crate::ambient::Ambient;
use crate::answer::KeyAnswer;
use crate::error::Error;
use crate::idempotency::{Answer, Idempotency};
use crate::plane::{Call, Plane};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use tidemill_model::ids::{KeyId, OwnerId};
use tidemill_model::invalid::Invalid;
use tidemill_model::key::{Key, KeyKind, Scope, Token};
use tidemill_store::{Part, Store};

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
    type Output = Answer<KeyAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Answer<KeyAnswer>, Error> {
        let once = Idempotency::of(call, Self::NAME, &(&input.scopes, &input.name, input.expires_at))?;
        if let Some(before) = earlier(plane, call, once.as_ref()).await? {
            return Ok(Answer::Before(before));
        }
        let (key, token) = prepared(plane.ambient.as_ref(), plane.kind, call.owner.clone(), input)?;
        let mut transaction = plane.store.transaction().new_key(&key)?;
        let answer = KeyAnswer { key: Some(token.expose().to_owned()), ..KeyAnswer::of(key, call.now) };
        if let Some(once) = &once {
            transaction = once.remember(transaction, call, &sealed(plane, call, &answer).await?)?;
        }
        match transaction.commit().await {
            Ok(()) => Ok(Answer::Now(answer)),
            // The same request came twice at once.
            Err(error) if error.rejects(Part::Idempotency) => {
                earlier(plane, call, once.as_ref()).await?.map(Answer::Before).ok_or_else(|| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What the first request with the same idempotency key was answered, if there was one.
async fn earlier(plane: &Plane, call: &Call, once: Option<&Idempotency>) -> Result<Option<Box<RawValue>>, Error> {
    let Some(once) = once else { return Ok(None) };
    let Some(remembered) = once.earlier(plane, call).await? else { return Ok(None) };
    let sealed: String = serde_json::from_str(remembered.get()).map_err(Error::internal)?;
    let opened = plane.cipher.open(&call.owner, Create::NAME, &sealed).await?;
    RawValue::from_string(opened.expose_secret().to_owned()).map(Some).map_err(Error::internal)
}

/// An answer as it may be remembered: no key lies in the table as it is.
async fn sealed(plane: &Plane, call: &Call, answer: &KeyAnswer) -> Result<String, Error> {
    let answer = SecretString::from(serde_json::to_string(answer).map_err(Error::internal)?);
    plane.cipher.seal(&call.owner, Create::NAME, &answer).await
}

/// Makes a key for any owner: for the operator of a plane, who has its table.
pub async fn make(
    store: &Store,
    ambient: &dyn Ambient,
    kind: KeyKind,
    owner: OwnerId,
    input: Input,
) -> Result<(Key, Token), Error> {
    let (key, token) = prepared(ambient, kind, owner, input)?;
    store.transaction().new_key(&key)?.commit().await?;
    Ok((key, token))
}

/// A key that is still to be written.
fn prepared(ambient: &dyn Ambient, kind: KeyKind, owner: OwnerId, input: Input) -> Result<(Key, Token), Error> {
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
