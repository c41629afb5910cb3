//! Whether an owner has WebSockets at API Gateway, and whether they are to be told something: what keeps the bells of those
//! who tell few, and none of them lost.
//!
//! Whoever changes something rings and says so here, unless somebody has rung already. Whoever tells takes that back
//! before looking, so what is changed after the look rings again.

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
    /// Whether anything is told on any of them.
    pub watches: bool,
    /// Since when a bell rings that nobody has answered; 0 if none does.
    pub rung: i64,
    /// Until when somebody tells; 0 if nobody does.
    pub busy: i64,
    /// When they were told last.
    pub told: i64,
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
    /// [`Error::Rejected`] if somebody else said so, or took it back, since it was read.
    pub async fn ring_watching(&self, owner: &OwnerId, seen: &Watching, now: Timestamp) -> Result<Watching, Error> {
        let update = Update::of(&keys::watching(owner)).set("rung", number(now.as_millisecond()));
        self.update(Part::Socket, as_read(update, "rung", seen.rung)).await
    }

    /// Takes the right to tell, and the bell back.
    ///
    /// # Errors
    /// [`Error::Rejected`] if somebody else took it.
    pub async fn begin_telling(&self, owner: &OwnerId, seen: &Watching, until: Timestamp) -> Result<Watching, Error> {
        let update =
            Update::of(&keys::watching(owner)).set("rung", number(0)).set("busy", number(until.as_millisecond()));
        self.update(Part::Socket, as_read(update, "busy", seen.busy)).await
    }

    /// Gives back the right to tell.
    ///
    /// # Errors
    /// [`Error::Rejected`] if it ran out, and somebody else took it.
    pub async fn end_telling(&self, owner: &OwnerId, mine: &Watching, now: Timestamp) -> Result<Watching, Error> {
        let update =
            Update::of(&keys::watching(owner)).set("busy", number(0)).set("told", number(now.as_millisecond()));
        self.update(Part::Socket, as_read(update, "busy", mine.busy)).await
    }

    /// Notes that nothing is told any more, unless something came since it was read.
    pub async fn nobody_watches(&self, owner: &OwnerId, seen: &Watching) -> Result<Watching, Error> {
        let update = Update::of(&keys::watching(owner)).set("watches", AttributeValue::Bool(false));
        self.update(Part::Socket, as_read(update, "arrivals", seen.arrivals as i64)).await
    }

    /// Notes that an owner has no WebSockets any more, unless one came since it was read.
    pub async fn nobody_is_there(&self, owner: &OwnerId, seen: &Watching) -> Result<(), Error> {
        let condition = Condition::when("arrivals = :arrivals").value(":arrivals", number(seen.arrivals));
        self.delete_when(Part::Socket, &keys::watching(owner), condition).await
    }
}

impl Transaction<'_> {
    /// Notes that somebody logged in, or wants to be told something.
    pub fn arrival(self, owner: &OwnerId, watches: bool) -> Self {
        let update = Update::of(&keys::watching(owner)).add("arrivals", 1);
        let update = if watches { update.set("watches", AttributeValue::Bool(true)) } else { update };
        self.update(Part::Socket, update)
    }
}
