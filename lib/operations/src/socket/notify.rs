//! `socket_notify`: sends those who watch an owner's tasks what has changed since they were last notified, and closes the
//! WebSockets that may not stay.
//!
//! One call at a time notifies an owner's watchers, and at most once a second. It sends first and notes after: a death
//! between the two sends twice, and never not at all.

use super::strangers;
use crate::access::caller::{self, Caller};
use crate::bell::Bell;
use crate::bell::BellOutcome;
use crate::error::{Code, Error};
use crate::plane::{Plane, Reached, Sockets};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tidemill_model::ids::OwnerId;
use tidemill_store::{Part, Watcher, Watching};

/// The least time between two notifications of an owner's watchers.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// How long the right to notify lasts: as long as the function may take.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Sends a watcher what has changed.
pub type Send = for<'a> fn(&'a Plane, &'a dyn Sockets, &'a Watcher, &'a Caller) -> BoxFuture<'a, Result<Notice, Error>>;

/// What only the protocol of the sockets knows.
pub struct Notifier {
    pub send: Send,
    /// What to keep of `newer`, which the client's next request has written, after `sent` was sent.
    pub merge: fn(newer: &str, sent: &str) -> String,
}

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The socket has closed.
    Gone,
    /// Nothing has changed.
    Unchanged,
    /// What it watches and was sent, in the protocol's own form.
    Sent(String),
}

/// Answers a bell of the queue of notifications.
pub async fn run(plane: &Plane, bell: Bell, notifier: &Notifier) -> Result<BellOutcome, Error> {
    let Some(sockets) = plane.sockets.as_deref() else { return Ok(BellOutcome::Done) };
    match bell {
        Bell::Watch { owner } => Owner { plane, sockets, owner: &owner, notifier }.notify().await,
        Bell::Strangers => strangers::close_late(plane, sockets).await.map(|()| BellOutcome::Done),
        Bell::Tick { .. } | Bell::Run { .. } | Bell::Rollout { .. } => Ok(BellOutcome::Done),
    }
}

/// The watchers of one owner.
struct Owner<'a> {
    plane: &'a Plane,
    sockets: &'a dyn Sockets,
    owner: &'a OwnerId,
    notifier: &'a Notifier,
}

impl Owner<'_> {
    async fn notify(&self) -> Result<BellOutcome, Error> {
        let Owner { plane, owner, .. } = self;
        let now = plane.now();
        let Some(seen) = plane.store.watching(owner).await? else { return Ok(BellOutcome::Done) };
        if let Some(wait) = too_soon(&seen, now) {
            return Ok(BellOutcome::RingAgain(wait));
        }
        let mine = match plane.store.begin_notifying(owner, &seen, now + LEASE).await {
            Ok(mine) => mine,
            Err(error) if error.rejects(Part::Socket) => return Ok(BellOutcome::RingAgain(PAUSE.unsigned_abs())),
            Err(error) => return Err(error.into()),
        };
        let outcome = self.notify_all().await;
        if let Ok(left) = &outcome {
            self.tidy(&mine, left).await?;
        }
        match plane.store.end_notifying(owner, &mine, plane.now()).await {
            // Otherwise the lease ran out, or no watcher is left.
            Err(error) if !error.rejects(Part::Socket) => Err(error.into()),
            _ => outcome.map(|_| BellOutcome::Done),
        }
    }

    /// Notifies every watcher, and gives those that are left. A failure does not keep the others from being notified.
    async fn notify_all(&self) -> Result<Vec<Watcher>, Error> {
        let mut left = Vec::new();
        let mut outcome = Ok(());
        for watcher in self.plane.store.watchers(self.owner).await? {
            match self.notify_one(&watcher).await {
                Ok(Reached::Yes) => left.push(watcher),
                Ok(Reached::Gone) => self.plane.store.forget_socket(Some(self.owner), &watcher.id).await?,
                Err(error) => outcome = Err(error),
            }
        }
        outcome.map(|()| left)
    }

    async fn notify_one(&self, watcher: &Watcher) -> Result<Reached, Error> {
        let caller = match caller::behind(self.plane, &watcher.credential).await {
            Ok(caller) => caller,
            Err(error) if matches!(error.code, Code::Unauthenticated | Code::NotFound) => {
                return self.close(watcher).await;
            }
            Err(error) => return Err(error),
        };
        if watcher.watches.is_empty() {
            return Ok(Reached::Yes);
        }
        let sent = match (self.notifier.send)(self.plane, self.sockets, watcher, &caller).await? {
            Notice::Gone => return Ok(Reached::Gone),
            Notice::Unchanged => return Ok(Reached::Yes),
            Notice::Sent(watches) => watches,
        };
        match self.note(watcher, sent).await {
            Err(tidemill_store::Error::TooLarge(cause)) => {
                // It would be sent the same again and again.
                tracing::warn!(cause, "a connection watches more than can be kept, and is closed");
                self.close(watcher).await
            }
            noted => Ok(noted.map(|()| Reached::Yes)?),
        }
    }

    async fn close(&self, watcher: &Watcher) -> Result<Reached, Error> {
        self.sockets.close(&watcher.id).await?;
        Ok(Reached::Gone)
    }

    /// Notes what was sent. What the client asked for meanwhile is kept.
    async fn note(&self, before: &Watcher, sent: String) -> Result<(), tidemill_store::Error> {
        let mut before = before.clone();
        let mut watches = sent.clone();
        loop {
            let after = Watcher { watches, revision: before.revision + 1, ..before.clone() };
            match self.plane.store.transaction().watcher(Some(&before), &after)?.commit().await {
                Err(error) if error.rejects(Part::Socket) => {}
                written => return written,
            }
            let Some(newer) = self.plane.store.watcher(&before.owner, &before.id).await? else { return Ok(()) };
            watches = (self.notifier.merge)(&newer.watches, &sent);
            if watches.is_empty() {
                return Ok(());
            }
            before = newer;
        }
    }

    /// Stops the bells for an owner without watchers.
    async fn tidy(&self, mine: &Watching, left: &[Watcher]) -> Result<(), Error> {
        let store = &self.plane.store;
        let noted = match left {
            [] => store.note_no_socket(self.owner, mine).await,
            left if mine.watches && left.iter().all(|watcher| watcher.watches.is_empty()) => {
                store.note_no_subscription(self.owner, mine).await.map(drop)
            }
            _ => return Ok(()),
        };
        match noted {
            // A watcher came meanwhile.
            Err(error) if error.rejects(Part::Socket) => Ok(()),
            noted => Ok(noted?),
        }
    }
}

fn too_soon(seen: &Watching, now: Timestamp) -> Option<Duration> {
    let now = now.as_millisecond();
    if seen.busy > now {
        return Some(PAUSE.unsigned_abs());
    }
    let wait = seen.notified + PAUSE.as_millis() as i64 - now;
    u64::try_from(wait).ok().filter(|wait| *wait > 0).map(Duration::from_millis)
}
