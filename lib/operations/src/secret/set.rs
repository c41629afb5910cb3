//! Sets a secret that configs name as `${NAME}`. It is sealed before it is stored, and never shown again.

use crate::error::Error;
use crate::idempotency::{Answer, Idempotency};
use crate::plane::{Call, Plane};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tidemill_engine::SHORTEST_MASKED;
use tidemill_model::ids::SecretName;
use tidemill_model::invalid::Invalid;
use tidemill_model::key::Scope;
use tidemill_store::{Part, StoredSecret};

/// Largest value, in bytes: what KMS seals at once.
const VALUE_LIMIT: usize = 4096;

pub struct Set;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub name: SecretName,
    pub value: SecretString,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretAnswer {
    pub name: String,
    pub updated_at: Timestamp,
}

impl From<StoredSecret> for SecretAnswer {
    fn from(secret: StoredSecret) -> SecretAnswer {
        SecretAnswer { name: secret.name.to_string(), updated_at: secret.updated_at }
    }
}

impl crate::Operation for Set {
    const NAME: &'static str = "secret_set";
    const SCOPE: Option<Scope> = Some(Scope::Admin);
    type Input = Input;
    type Output = Answer<SecretAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Answer<SecretAnswer>, Error> {
        let length = input.value.expose_secret().len();
        if length == 0 || length > VALUE_LIMIT {
            return Err(Invalid::new(
                "value",
                format!("the value has {length} bytes, outside 1 to {VALUE_LIMIT}"),
                "store a key or a token, not a file",
            )
            .into());
        }
        let once = Idempotency::of(call, Self::NAME, &request(call, &input))?;
        if let Some(once) = &once
            && let Some(before) = once.earlier(plane, call).await?
        {
            return Ok(Answer::Before(before));
        }
        let sealed = plane.cipher.seal(&call.owner, input.name.as_str(), &input.value).await?;
        let is_short = input.value.expose_secret().chars().count() < SHORTEST_MASKED;
        let (owner, name) = (call.owner.clone(), input.name);
        let secret = StoredSecret { owner, name, sealed, updated_at: call.now, is_short };
        let mut transaction = plane.store.transaction().secret(&secret)?;
        let answer = SecretAnswer::from(secret);
        if let Some(once) = &once {
            transaction = once.remember(transaction, call, &answer)?;
        }
        match (transaction.commit().await, &once) {
            (Ok(()), _) => Ok(Answer::Now(answer)),
            // The same request came twice at once.
            (Err(error), Some(once)) if error.rejects(Part::Idempotency) => {
                once.earlier(plane, call).await?.map(Answer::Before).ok_or_else(|| error.into())
            }
            (Err(error), _) => Err(error.into()),
        }
    }
}

/// In what a request differs from others. Its hash is stored, and a value may be easy to guess: the idempotency key, which
/// is not stored, salts it.
fn request<'a>(call: &'a Call, input: &'a Input) -> impl Serialize + 'a {
    (input.name.as_str(), call.idempotency.as_deref(), input.value.expose_secret())
}
