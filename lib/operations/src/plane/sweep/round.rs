//! The way of a sweep through all owners: side by side, and, where the time is too short for all of them, on from where
//! the sweep before stopped.

use crate::error::Error;
use crate::plane::Plane;
use crate::plane::sweep::{Extent, SweepReport, Timers, owner};
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tidemill_model::ids::OwnerId;
use tidemill_model::sweep::Patience;
use tidemill_store::Store;

/// Owners that are looked at side by side.
const AT_ONCE: usize = 16;
/// How long a sweep takes up owners: the next one comes within the minute.
const LONGEST: SignedDuration = SignedDuration::from_secs(50);
/// How often a sweep notes how far it is, in case that its process dies.
const NOTED: SignedDuration = SignedDuration::from_secs(10);

/// Looks at what the owners have. A plane that starts looks at all of them, however long that takes.
pub(super) async fn walk(
    plane: &Plane,
    patience: Patience,
    timers: &Timers,
    report: &mut SweepReport,
) -> Result<Extent, Error> {
    let mut place = Place::of(&plane.store, patience, plane.now()).await?;
    let mut extent = if place.after.is_none() { Extent::Whole } else { Extent::Partial };
    let mut owners = Vec::new();
    for owner in plane.store.each_owner(place.after.as_ref()).await? {
        match owner {
            Ok(owner) => owners.push(owner),
            Err(error) => {
                extent = Extent::Partial;
                report.failed += 1;
                tracing::error!(%error, "could not read the record of an owner");
            }
        }
    }
    let count = owners.len();
    let until = match patience {
        Patience::None => Timestamp::MAX,
        Patience::Usual => plane.now() + LONGEST,
    };
    let taken = owners.into_iter().take_while(|_| plane.now() < until);
    let look = |owner: OwnerId| async move { (owner::sweep(plane, &owner, patience, timers).await, owner) };
    // In order: those before the one that comes out have been looked at.
    let mut looks = stream::iter(taken.map(look)).buffered(AT_ONCE);
    let mut reached = 0;
    while let Some(((found, read), owner)) = looks.next().await {
        reached += 1;
        report.add(&found);
        extent = extent.and(read);
        if let Err(error) = place.move_to(owner, plane.now()).await {
            // Only the next sweep would go on from there; the owners that are left are looked at all the same.
            report.failed += 1;
            tracing::warn!(error = error.with_causes(), "could not note how far the sweep is");
        }
    }
    if reached < count {
        tracing::warn!(
            reached,
            "the sweep reached {reached} of {count} owners in time; the next one goes on from there"
        );
        place.note().await?;
        return Ok(Extent::Partial);
    }
    place.clear().await?;
    Ok(extent)
}

/// How far a sweep is.
struct Place<'a> {
    store: &'a Store,
    /// The last owner that was reached, by this sweep or the one before.
    after: Option<OwnerId>,
    noted_at: Timestamp,
    /// The table names an owner.
    is_noted: bool,
}

impl Place<'_> {
    async fn of(store: &Store, patience: Patience, now: Timestamp) -> Result<Place<'_>, Error> {
        let noted = store.sweep_cursor().await?;
        let is_noted = noted.is_some();
        Ok(Place { store, after: noted.filter(|_| patience == Patience::Usual), noted_at: now, is_noted })
    }

    async fn move_to(&mut self, owner: OwnerId, now: Timestamp) -> Result<(), Error> {
        self.after = Some(owner);
        if now < self.noted_at + NOTED {
            return Ok(());
        }
        self.noted_at = now;
        self.note().await
    }

    async fn note(&mut self) -> Result<(), Error> {
        self.is_noted = true;
        Ok(self.store.note_sweep_cursor(self.after.as_ref()).await?)
    }

    /// The next sweep begins with the first owner.
    async fn clear(&self) -> Result<(), Error> {
        match self.is_noted {
            true => Ok(self.store.note_sweep_cursor(None).await?),
            false => Ok(()),
        }
    }
}
