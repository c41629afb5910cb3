//! A retried request answers as the first did.

use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use serde::Serialize;
use serde_json::value::RawValue;
use tidemill_model::invalid::Invalid;
use tidemill_model::version::sha256;
use tidemill_model::wrong::{self, Mistake};
use tidemill_store::{Answered, Transaction};

/// Longest idempotency key, in characters.
const KEY_LIMIT: usize = 256;

/// The idempotency key of one request, with a hash of the request.
///
/// The hash is of explicit fields in JSON, so no derive decides what is stored. A key that was sent before an upgrade that
/// changes those fields answers [`Code::Conflict`] until it is forgotten after 24 hours; nothing is done twice.
pub struct Idempotency {
    operation: String,
    key_sha256: String,
    request_sha256: String,
}

impl Idempotency {
    /// The key of a call, if it has one. `request` is the part of the request in which it differs from others, as a
    /// tuple of its fields.
    pub fn of(call: &Call, operation: &str, request: &impl Serialize) -> Result<Option<Idempotency>, Error> {
        let Some(key) = &call.idempotency else { return Ok(None) };
        let is_text = key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if key.is_empty() || key.len() > KEY_LIMIT || !is_text {
            return Err(Invalid::new(
                "Idempotency-Key",
                format!("the idempotency key is not 1 to {KEY_LIMIT} printable ASCII characters"),
                "send a fresh UUID with each new request and the same one with its retries",
            )
            .into());
        }
        let request = serde_json::to_string(request).map_err(Error::internal)?;
        Ok(Some(Idempotency {
            operation: operation.to_owned(),
            key_sha256: sha256(key.as_bytes()),
            request_sha256: sha256(request.as_bytes()),
        }))
    }

    /// What the first request with this key was answered, if there was one.
    pub async fn earlier(&self, plane: &Plane, call: &Call) -> Result<Option<Box<RawValue>>, Error> {
        let found = plane.store.answered(&call.owner, &self.operation, &self.key_sha256, call.now).await?;
        let Some(found) = found.filter(|_| !wrong::is(Mistake::AnswerForgotten)) else { return Ok(None) };
        if found.request_sha256 != self.request_sha256 {
            return Err(Error::new(Code::Conflict, "this idempotency key was used for a different request")
                .hint("send a new key with a new request"));
        }
        RawValue::from_string(found.answer).map(Some).map_err(Error::internal)
    }

    /// Remembers the answer in the transaction that does the work.
    pub fn remember<'a>(
        &self,
        transaction: Transaction<'a>,
        call: &Call,
        answer: &impl Serialize,
    ) -> Result<Transaction<'a>, Error> {
        let answered = Answered {
            owner: call.owner.clone(),
            operation: self.operation.clone(),
            key_sha256: self.key_sha256.clone(),
            request_sha256: self.request_sha256.clone(),
            answer: serde_json::to_string(answer).map_err(Error::internal)?,
            at: call.now,
        };
        Ok(transaction.answered(&answered)?)
    }
}

/// An answer that is made now, or was made before.
#[derive(Debug)]
pub enum Answer<T> {
    Now(T),
    Before(Box<RawValue>),
}

impl<T> Answer<T> {
    /// The answer of a call that has no idempotency key: it cannot have been made before.
    pub fn now(self) -> Option<T> {
        match self {
            Answer::Now(answer) => Some(answer),
            Answer::Before(_) => None,
        }
    }
}

impl<T: Serialize> Serialize for Answer<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Now(answer) => answer.serialize(serializer),
            Answer::Before(answer) => answer.serialize(serializer),
        }
    }
}
