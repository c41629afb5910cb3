//! Whether an owner has WebSockets at API Gateway, and whether they need a notification.
//!
//! It keeps the bells few and loses none: a change rings and notes that here, unless a bell rings already. The function
//! that answers takes the note back before it looks, so a change after the look rings again.

use crate::Store;
use crate::error::{Error, Part};
use crate::item::number;
use crate::keys;
use crate::transaction::{Condition, Transaction};
use crate::update::Update;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidemill_model::ids::OwnerId;

/// An owner who has WebSockets at API Gateway. Instants are milliseconds since 1970, which the table can compare.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watching {
    /// Counts what came since: logins, and subscriptions.
    pub arrivals: u64,
    /// Whether any of them has a subscription.
    pub watches: bool,
    /// Since when a bell rings without an answer; 0 if none does.
    pub rung: i64,
    /// Until when a function holds the right to notify; 0 if none does.
    pub busy: i64,
    /// When they were notified last.
    pub notified: i64,
}

/// The condition that an attribute is as it was read; one that is 0 may not be there.
const AS_READ: &str = "attribute_exists(pk) AND (#was = :was OR (:was = :zero AND attribute_not_exists(#was)))";

fn as_read(update: Update, attribute: &str, was: i64) -> Update {
    update.when(AS_READ).name("#was", attribute).value(":was", number(was)).value(":zero", number(0))
}

impl Store {
    /// Whether an owner has WebSockets at API Gateway; `None` if not.
    pub async fn watching(&self, owner: &OwnerId) -> Result<Option<Watching>, Error> {
        self.get(&keys::watching(owner)).await
    }

    /// Says that a bell rings.
    ///
    /// # Errors
    /// [`Error::Rejected`] if another call said so, or took it back, since it was read.
    pub async fn ring_watching(&self, owner: &OwnerId, seen: &Watching, now: Timestamp) -> Result<Watching, Error> {
        let update = Update::of(&keys::watching(owner)).set("rung", number(now.as_millisecond()));
        self.update(Part::Socket, as_read(update, "rung", seen.rung)).await
    }

    /// Takes the right to notify, and the bell back.
    ///
    /// # Errors
    /// [`Error::Rejected`] if another function took it.
    pub async fn begin_notifying(&self, owner: &OwnerId, seen: &Watching, until: Timestamp) -> Result<Watching, Error> {
        let update =
            Update::of(&keys::watching(owner)).set("rung", number(0)).set("busy", number(until.as_millisecond()));
        self.update(Part::Socket, as_read(update, "busy", seen.busy)).await
    }

    /// Gives back the right to notify.
    ///
    /// # Errors
    /// [`Error::Rejected`] if it ran out, and another function took it.
    pub async fn end_notifying(&self, owner: &OwnerId, mine: &Watching, now: Timestamp) -> Result<Watching, Error> {
        let update =
            Update::of(&keys::watching(owner)).set("busy", number(0)).set("notified", number(now.as_millisecond()));
        self.update(Part::Socket, as_read(update, "busy", mine.busy)).await
    }

    /// Notes that no socket has a subscription any more, unless one came since it was read.
    pub async fn note_no_subscription(&self, owner: &OwnerId, seen: &Watching) -> Result<Watching, Error> {
        let update = Update::of(&keys::watching(owner)).set("watches", AttributeValue::Bool(false));
        self.update(Part::Socket, as_read(update, "arrivals", seen.arrivals as i64)).await
    }

    /// Notes that an owner has no WebSockets any more, unless one came since it was read.
    pub async fn note_no_socket(&self, owner: &OwnerId, seen: &Watching) -> Result<(), Error> {
        let condition = Condition::when("arrivals = :arrivals").value(":arrivals", number(seen.arrivals));
        self.delete_when(Part::Socket, &keys::watching(owner), condition).await
    }
}

impl Transaction<'_> {
    /// Notes a login or a subscription.
    pub fn arrival(self, owner: &OwnerId, watches: bool) -> Self {
        let update = Update::of(&keys::watching(owner)).add("arrivals", 1);
        let update = if watches { update.set("watches", AttributeValue::Bool(true)) } else { update };
        self.update(Part::Socket, update)
    }
}
