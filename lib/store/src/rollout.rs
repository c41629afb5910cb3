//! Groups, their members and their rollouts. A worker and a cancel write a rollout at the same time, so what
//! changes while it goes on are single attributes, each on its own condition.

use crate::cursor::Cursor;
use crate::error::{Error, Part};
use crate::held::Held;
use crate::item::{expiring, from_item, number, text, to_item};
use crate::lease::as_read;
use crate::page::{Order, Page, Range};
use crate::transaction::{Condition, Transaction};
use crate::update::Update;
use crate::{Store, keys};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use tidemill_model::ids::{GroupName, LogicalId, OwnerId, RolloutId};
use tidemill_model::lease::Lease;
use tidemill_model::rollout::{Failure, Group, Member, Progress, Resource, Rollout, Rung, State, Step};

/// That a rollout has not ended, and was not claimed since it was read.
const IS_OPEN_AT: &str = "epoch = :epoch AND #open IN (:pending, :running)";

impl Store {
    pub async fn group(&self, owner: &OwnerId, name: &GroupName) -> Result<Option<Group>, Error> {
        self.get(&keys::group(owner, name)).await
    }

    /// A page of an owner's groups by name, removed ones too.
    pub async fn groups(&self, owner: &OwnerId, cursor: Option<&Cursor>, limit: usize) -> Result<Page<Group>, Error> {
        let range = Range::prefix(keys::owner_partition(owner), keys::GROUPS, Order::Ascending);
        self.page(range, cursor, limit).await
    }

    /// Every member of a group, in no order.
    pub async fn members(&self, owner: &OwnerId, group: &GroupName) -> Result<Vec<Member>, Error> {
        let range = Range::prefix(keys::owner_partition(owner), &keys::members(group), Order::Ascending);
        self.all(range).await?.into_iter().map(from_item).collect()
    }

    pub async fn rollout(&self, owner: &OwnerId, id: &RolloutId) -> Result<Option<Rollout>, Error> {
        self.get(&keys::rollout(owner, id)).await
    }

    /// A page of an owner's rollouts, newest first.
    pub async fn rollouts(
        &self,
        owner: &OwnerId,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Rollout>, Error> {
        let range = Range::prefix(keys::owner_partition(owner), keys::ROLLOUTS, Order::Descending);
        self.page(range, cursor, limit).await
    }

    /// What a rollout did with its resources, from `first` on, in their order.
    pub async fn resources(&self, id: &RolloutId, first: u32) -> Result<Vec<Resource>, Error> {
        let (from, to) = (keys::resource(id, first), keys::resource(id, u32::MAX));
        let range = Range { partition: from.partition, from: from.sort, to: to.sort, order: Order::Ascending };
        self.all(range).await?.into_iter().map(from_item).collect()
    }

    /// Stores what a rollout is asked for until about `expires`, and gives its name.
    pub async fn put_rollout_request(&self, id: &RolloutId, body: &[u8], expires: Timestamp) -> Result<String, Error> {
        let names = self.put_bodies_at(keys::rollout_partition(id), keys::BODIES, &[body], Some(expires)).await?;
        Ok(names.into_iter().next().expect("a body has a name"))
    }

    pub async fn rollout_request(&self, rollout: &Rollout) -> Result<Option<Vec<u8>>, Error> {
        self.body_at(keys::rollout_partition(&rollout.id), keys::BODIES, &rollout.request_sha256).await
    }

    /// Takes the right to go on with a rollout, unless it has ended or another worker took or renewed it since it was read.
    pub async fn claim_rollout(
        &self,
        before: &Rollout,
        lease: &Lease,
        deaths: u32,
        now: Timestamp,
    ) -> Result<Held<Rollout>, Error> {
        let update = Update::of(&keys::rollout(&before.owner, &before.id))
            .set("state", text(State::Running.as_str()))
            .set("lease", attribute(lease)?)
            .set("deaths", number(deaths))
            .set_once("started_at", text(now.to_string()))
            .add("epoch", 1);
        let lease = as_read(before.lease.as_ref());
        let mut update = open_at(update, before).when(format!("{IS_OPEN_AT} AND {}", lease.when));
        update.extend(lease.names, lease.values);
        self.update(Part::Rollout, update).await.map(Held::by_claim)
    }

    /// Writes how far a rollout is, with its lease. What comes back shows whether it is to be cancelled.
    ///
    /// A worker that gives its lease back does not write how far it is: its last report may have been written although it got no
    /// answer, and what users see would go back.
    pub async fn rollout_progress(
        &self,
        rollout: &Held<Rollout>,
        progress: &Progress,
        lease: &Lease,
    ) -> Result<Held<Rollout>, Error> {
        let mut update = Update::of(&keys::rollout(&rollout.owner, &rollout.id))
            .set("attempts", number(progress.attempts))
            .set("deaths", number(progress.deaths))
            .set("begun", number(rollout.epoch))
            .set("lease", attribute(lease)?);
        if !lease.is_given_back() {
            update = update
                .set("step", text(progress.step.as_str()))
                .set("resources", number(progress.resources))
                .set("settled", number(progress.settled))
                .set("progress", number(progress.percent));
        }
        self.update(Part::Rollout, open_at(update, rollout)).await.map(Held::by_claim)
    }

    /// Notes that the sweep rang for a rollout.
    pub async fn rollout_rung(&self, rollout: &Rollout, now: Timestamp) -> Result<Rollout, Error> {
        let rung = Rung { epoch: rollout.epoch, at: now };
        let update = Update::of(&keys::rollout(&rollout.owner, &rollout.id)).set("rung", attribute(&rung)?);
        self.update(Part::Rollout, open_at(update, rollout)).await
    }

    /// Asks a rollout to end; a second request changes nothing. [`Error::Rejected`] if it has ended already.
    pub async fn cancel_rollout(&self, owner: &OwnerId, id: &RolloutId, now: Timestamp) -> Result<Rollout, Error> {
        let update = Update::of(&keys::rollout(owner, id))
            .set_once("cancel_requested_at", text(now.to_string()))
            .when("#state IN (:pending, :running)")
            .name("#state", "state")
            .value(":pending", text(State::Pending.as_str()))
            .value(":running", text(State::Running.as_str()));
        self.update(Part::Rollout, update).await
    }
}

impl Transaction<'_> {
    /// Writes a group over the one that was read at `revision`, 0 if there was none, unless it has moved on since.
    pub fn group(self, group: &Group, revision: u64) -> Result<Self, Error> {
        debug_assert!(group.revision > revision, "a change must move the revision");
        let condition = match revision {
            0 => Condition::absent(),
            _ => Condition::when("revision = :revision").value(":revision", number(revision)),
        };
        Ok(self.put(Part::Group, to_item(&keys::group(&group.owner, &group.name), group)?, condition))
    }

    pub fn new_rollout(self, rollout: &Rollout, expires: Timestamp) -> Result<Self, Error> {
        let item = expiring(to_item(&keys::rollout(&rollout.owner, &rollout.id), rollout)?, expires);
        Ok(self.put(Part::Rollout, item, Condition::absent()))
    }

    /// Ends a rollout, unless another worker has claimed it.
    pub fn end_rollout(
        self,
        rollout: &Held<Rollout>,
        state: State,
        error: Option<&Failure>,
        resources: u32,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let progress = if state == State::Succeeded { 100 } else { rollout.progress };
        let mut update = Update::of(&keys::rollout(&rollout.owner, &rollout.id))
            .set("state", text(state.as_str()))
            .set("step", text(Step::Done.as_str()))
            .set("resources", number(resources))
            .set("settled", number(resources))
            .set("progress", number(progress))
            .set("ended_at", text(now.to_string()));
        if let Some(error) = error {
            update = update.set("error", attribute(error)?);
        }
        Ok(self.update(Part::Rollout, open_at(update, rollout)))
    }

    /// Writes what became of a resource, once.
    pub fn resource(self, rollout: &Held<Rollout>, resource: &Resource, expires: Timestamp) -> Result<Self, Error> {
        let item = expiring(to_item(&keys::resource(&rollout.id, resource.index), resource)?, expires);
        Ok(self.put(Part::Resource, item, Condition::absent()))
    }

    pub fn member(self, owner: &OwnerId, member: &Member) -> Result<Self, Error> {
        let item = to_item(&keys::member(owner, &member.group, &member.logical_id), member)?;
        Ok(self.put(Part::Other, item, Condition::none()))
    }

    pub fn no_member(self, owner: &OwnerId, group: &GroupName, logical_id: &LogicalId) -> Self {
        self.delete(Part::Other, &keys::member(owner, group, logical_id))
    }
}

/// On condition that a rollout goes on, under the epoch that it was read at.
fn open_at(update: Update, seen: &Rollout) -> Update {
    update
        .when(IS_OPEN_AT)
        .name("#open", "state")
        .value(":epoch", number(seen.epoch))
        .value(":pending", text(State::Pending.as_str()))
        .value(":running", text(State::Running.as_str()))
}

fn attribute(value: &impl Serialize) -> Result<AttributeValue, Error> {
    serde_dynamo::to_attribute_value(value).map_err(|e| Error::Corrupt(e.to_string()))
}
