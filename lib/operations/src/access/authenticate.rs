//! Who a credential belongs to.

use crate::error::{Code, Error};
use crate::hint::Hint;
use crate::plane::{Call, Plane};
use jiff::SignedDuration;
use tidemill_model::key::{Key, Scope, Token};

/// How old a key's "last used" may become before it is written again.
const LAST_USED_PRECISION: SignedDuration = SignedDuration::from_hours(1);

/// Finds the owner of a credential: a bare key, or one after `Bearer `.
///
/// # Errors
/// [`Code::Unauthenticated`] for every credential that is not a live key, whatever the reason.
pub async fn run(plane: &Plane, credential: Option<&str>, idempotency: Option<String>) -> Result<Call, Error> {
    by_hash(plane, &hash(credential)?, idempotency).await
}

/// The hash of a key: of a bare one, or of one after `Bearer `.
///
/// # Errors
/// [`Code::Unauthenticated`] if it has not the form of a key.
pub(crate) fn hash(credential: Option<&str>) -> Result<String, Error> {
    let Some(text) = credential.map(bare).filter(|text| !text.is_empty()) else {
        return Err(Error::new(Code::Unauthenticated, "the request has no API key").hint(Hint::SendKey));
    };
    Ok(Token::parse(text).ok_or_else(unknown)?.hash())
}

/// Finds the owner of a key by the key's hash.
///
/// # Errors
/// As [`run`].
pub async fn by_hash(plane: &Plane, hash: &str, idempotency: Option<String>) -> Result<Call, Error> {
    let now = plane.now();
    let key = plane.store.key_by_hash(hash).await?.filter(|key| key.is_live(now)).ok_or_else(unknown)?;
    note_use(plane, &key).await;
    Ok(Call { owner: key.owner, key: key.id, scopes: key.scopes, now, idempotency })
}

/// A credential without `Bearer `, which is written in any case.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-11.1>
pub(crate) fn bare(text: &str) -> &str {
    let text = text.trim();
    match text.split_once(' ') {
        Some((scheme, credential)) if scheme.eq_ignore_ascii_case("bearer") => credential.trim(),
        _ => text,
    }
}

/// Checks that a call may do what asks for `scope`; what asks for none, any live key may do.
///
/// # Errors
/// [`Code::PermissionDenied`] if the key does not have the scope.
pub fn check(call: &Call, scope: impl Into<Option<Scope>>) -> Result<(), Error> {
    let Some(scope) = scope.into() else { return Ok(()) };
    if call.scopes.contains(&scope) || call.scopes.contains(&Scope::Admin) {
        return Ok(());
    }
    Err(Error::new(Code::PermissionDenied, format!("the key does not have the scope `{scope}`"))
        .hint(Hint::UseScope(scope)))
}

/// Writes when a key was last used, at most once an hour. A failure is no reason to refuse the request.
async fn note_use(plane: &Plane, key: &Key) {
    let now = plane.now();
    if key.last_used_at.is_some_and(|at| now.duration_since(at) < LAST_USED_PRECISION) {
        return;
    }
    let used = Key { last_used_at: Some(now), ..key.clone() };
    let written = match plane.store.transaction().key(&used) {
        Ok(transaction) => transaction.commit().await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        tracing::debug!(%error, "the last use of a key was not noted");
    }
}

fn unknown() -> Error {
    Error::new(Code::Unauthenticated, "the API key is not valid")
        .hint("check for a missing character; replace a revoked or expired key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_of_a_credential_is_written_in_any_case() {
        for text in ["k", " k ", "Bearer k", "bearer k", "BEARER  k "] {
            assert_eq!(bare(text), "k", "{text}");
        }
        for text in ["Basic k", "Bearerk", "bearer"] {
            assert_eq!(bare(text), text);
        }
    }
}
