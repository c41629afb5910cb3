//! Ends a rollout. One that ends early first gives each resource that it has not reached that for its outcome, so that a
//! worker that was given up can do nothing any more.

use crate::deployment::change::Retry;
use crate::error::Error;
use crate::plane::Plane;
use crate::rollout::apply::{ResourcePlace, settled};
use crate::rollout::preparation::{Preparation, places_by_name};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use tidemill_model::retention::HISTORY;
use tidemill_model::rollout::{Failure, Group, Outcome, Purpose, Rollout, State};
use tidemill_store::{Held, Part, TRANSACTION_LIMIT};

/// The end of a rollout that this process holds.
pub(crate) struct Ending<'a> {
    plane: &'a Plane,
    rollout: &'a Held<Rollout>,
    places: Cow<'a, [ResourcePlace]>,
    /// What is wrong with which resource.
    wrong: Cow<'a, BTreeMap<u32, String>>,
}

impl<'a> Ending<'a> {
    /// The end of a rollout whose request was checked.
    pub fn of(plane: &'a Plane, rollout: &'a Held<Rollout>, preparation: &'a Preparation) -> Ending<'a> {
        let (places, wrong) = (Cow::Borrowed(&preparation.places[..]), Cow::Borrowed(&preparation.wrong));
        Ending { plane, rollout, places, wrong }
    }

    /// The end of a rollout whose resources are known by their names alone.
    pub async fn of_names(plane: &'a Plane, rollout: &'a Held<Rollout>) -> Result<Ending<'a>, Error> {
        let places = Cow::Owned(places_by_name(plane, rollout).await?);
        Ok(Ending { plane, rollout, places, wrong: Cow::Owned(BTreeMap::new()) })
    }

    /// Ends the rollout before every resource was done: first each of the others gets its outcome.
    pub async fn write(&self, state: State, failure: Option<&Failure>) -> Result<(), Error> {
        loop {
            let settled = self.plane.store.resources(&self.rollout.id, 0).await?;
            let settled: HashSet<u32> = settled.into_iter().map(|resource| resource.index).collect();
            let left: Vec<&ResourcePlace> =
                self.places.iter().filter(|place| !settled.contains(&place.index)).collect();
            if left.is_empty() {
                return self.write_end(state, failure).await;
            }
            for some in left.chunks(TRANSACTION_LIMIT) {
                self.leave_out(some).await?;
            }
        }
    }

    /// Ends the rollout once every resource was done.
    pub async fn succeed(&self) -> Result<(), Error> {
        self.write_end(State::Succeeded, None).await
    }

    /// Writes that some resources were not done. If one of them has its outcome by now, none is written.
    async fn leave_out(&self, places: &[&ResourcePlace]) -> Result<(), Error> {
        let mut transaction = self.plane.store.transaction();
        for place in places {
            let resource = match self.wrong.get(&place.index) {
                Some(why) => settled(place, None, Outcome::Failed, Some(why.clone())),
                None => settled(place, None, Outcome::NotReached, None),
            };
            transaction = transaction.resource(self.rollout, &resource, self.rollout.created_at + HISTORY)?;
        }
        match transaction.commit().await {
            Err(error) if !error.rejects(Part::Resource) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Ends the rollout and lets the group take its next one, in one transaction.
    async fn write_end(&self, state: State, failure: Option<&Failure>) -> Result<(), Error> {
        let Ending { plane, rollout, .. } = *self;
        let mut retry = Retry::new();
        loop {
            let now = plane.now();
            let before = plane.store.group(&rollout.owner, &rollout.group).await?;
            let before = before.ok_or_else(|| Error::internal("the group of a rollout is not there"))?;
            let after = Group {
                active_rollout: None,
                revision: before.revision + 1,
                is_removed: before.is_removed || self.removes(&before, state).await?,
                updated_at: now,
                ..before.clone()
            };
            let transaction = plane.store.transaction().group(&after, before.revision)?;
            let transaction = transaction.end_rollout(rollout, state, failure, self.places.len() as u32, now)?;
            match transaction.commit().await {
                Ok(()) => {
                    tracing::info!(rollout.id = %rollout.id, "rollout `{}` has ended: {state}", rollout.id);
                    plane.memory.watches.moved(&rollout.id);
                    return Ok(());
                }
                Err(error) if error.rejects(Part::Rollout) => return Ok(()),
                Err(error) => retry.again(plane, error, Part::Group).await?,
            }
        }
    }

    /// Whether the group goes with the rollout's end.
    async fn removes(&self, group: &Group, state: State) -> Result<bool, Error> {
        let Rollout { owner, purpose, created_at, .. } = &**self.rollout;
        match (purpose, state) {
            (Purpose::Remove, State::Succeeded) => Ok(true),
            (_, State::Succeeded) => Ok(false),
            // It was made for this rollout, which has brought nothing live.
            _ if group.created_at != *created_at => Ok(false),
            _ => Ok(self.plane.store.members(owner, &group.name).await?.is_empty()),
        }
    }
}
