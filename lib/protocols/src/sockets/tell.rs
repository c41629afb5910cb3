//! `socket_tell`: tells those who watch an owner's tasks what has changed since they were told last, and closes the
//! WebSockets of those who may not be there any more.
//!
//! One at a time tells an owner's watchers, and at most once a second. It is sent first and noted after it: a death between
//! tells twice, and never not at all.

use crate::dap::Transport;
use crate::dap::connections::{Client, Connections};
use crate::dap::events::Asker;
use crate::dap::frame;
use crate::dap::monitors::{Kept, Monitors};
use crate::dap::session::watching;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::ids::OwnerId;
use tidemill_operations::access::{self, caller::Caller};
use tidemill_operations::bell::BellOutcome;
use tidemill_operations::plane::sweep::is_late;
use tidemill_operations::{Bell, Code, Error, Plane, Reached, Sockets};
use tidemill_store::{Part, Watcher, Watching};

/// How often somebody is told at most.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// How long the right to tell lasts: as long as the function may take.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

pub fn tell(plane: &Plane, bell: Bell, _: Option<Timestamp>) -> BoxFuture<'_, Result<BellOutcome, Error>> {
    Box::pin(async move {
        let Some(sockets) = plane.sockets.as_deref() else { return Ok(BellOutcome::Done) };
        match bell {
            Bell::Watch { owner } => tell_owner(plane, sockets, &owner).await,
            Bell::Strangers => close_strangers(plane, sockets).await.map(|()| BellOutcome::Done),
            Bell::Tick { .. } | Bell::Run { .. } | Bell::Rollout { .. } => Ok(BellOutcome::Done),
        }
    })
}

async fn tell_owner(plane: &Plane, sockets: &dyn Sockets, owner: &OwnerId) -> Result<BellOutcome, Error> {
    let now = plane.now();
    let Some(seen) = plane.store.watching(owner).await? else { return Ok(BellOutcome::Done) };
    if let Some(wait) = too_soon(&seen, now) {
        return Ok(BellOutcome::RingAgain(wait));
    }
    let mine = match plane.store.begin_telling(owner, &seen, now + LEASE).await {
        Ok(mine) => mine,
        Err(error) if error.rejects(Part::Socket) => return Ok(BellOutcome::RingAgain(PAUSE.unsigned_abs())),
        Err(error) => return Err(error.into()),
    };
    let told = tell_all(plane, sockets, owner).await;
    if let Ok(left) = &told {
        tidy(plane, owner, &mine, left).await?;
    }
    match plane.store.end_telling(owner, &mine, plane.now()).await {
        // Otherwise it ran out, or nobody is there any more.
        Err(error) if !error.rejects(Part::Socket) => Err(error.into()),
        _ => told.map(|_| BellOutcome::Done),
    }
}

fn too_soon(seen: &Watching, now: Timestamp) -> Option<Duration> {
    let now = now.as_millisecond();
    if seen.busy > now {
        return Some(PAUSE.unsigned_abs());
    }
    let wait = seen.told + PAUSE.as_millis() as i64 - now;
    u64::try_from(wait).ok().filter(|wait| *wait > 0).map(Duration::from_millis)
}

/// Tells every watcher, and gives those that are left. One that fails keeps none of the others from being told.
async fn tell_all(plane: &Plane, sockets: &dyn Sockets, owner: &OwnerId) -> Result<Vec<Watcher>, Error> {
    let mut left = Vec::new();
    let mut outcome = Ok(());
    for watcher in plane.store.watchers(owner).await? {
        match tell_one(plane, sockets, &watcher).await {
            Ok(Reached::Yes) => left.push(watcher),
            Ok(Reached::Gone) => plane.store.forget_socket(Some(owner), &watcher.id).await?,
            Err(error) => outcome = Err(error),
        }
    }
    outcome.map(|()| left)
}

async fn tell_one(plane: &Plane, sockets: &dyn Sockets, watcher: &Watcher) -> Result<Reached, Error> {
    let caller = match access::caller::behind(plane, &watcher.credential).await {
        Ok(caller) => caller,
        Err(error) if matches!(error.code, Code::Unauthenticated | Code::NotFound) => {
            sockets.close(&watcher.id).await?;
            return Ok(Reached::Gone);
        }
        Err(error) => return Err(error),
    };
    let before: Kept = serde_json::from_str(&watcher.watches).unwrap_or_default();
    if before.watches.is_empty() {
        return Ok(Reached::Yes);
    }
    let connections = Arc::new(Connections::new(plane));
    let client = Client { name: watcher.client_name.clone(), version: watcher.client_version.clone() };
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let seat = Arc::new(connections.visit(nowhere, watcher.opened_at, plane.now(), client));
    let monitors = Monitors::of(seat, before.clone());
    if send_changes(plane, sockets, watcher, &caller, &connections, &monitors).await? == Reached::Gone {
        return Ok(Reached::Gone);
    }
    let told = monitors.kept().await;
    if told == before {
        return Ok(Reached::Yes);
    }
    match note(plane, watcher, told).await {
        Err(tidemill_store::Error::TooLarge(cause)) => {
            // It would be told the same again and again.
            tracing::warn!(cause, "a connection watches more than can be kept, and is closed");
            sockets.close(&watcher.id).await?;
            Ok(Reached::Gone)
        }
        noted => Ok(noted.map(|()| Reached::Yes)?),
    }
}

async fn send_changes(
    plane: &Plane,
    sockets: &dyn Sockets,
    watcher: &Watcher,
    caller: &Caller,
    connections: &Connections,
    monitors: &Monitors,
) -> Result<Reached, Error> {
    // A task's token monitors that task alone. Who may monitor nothing is told nothing.
    let Ok(call) = watching(caller, caller.task(None).as_deref()) else { return Ok(Reached::Yes) };
    let changes = monitors.changes(&Asker { plane, call, connections }).await?;
    let first = plane.now().as_millisecond().max(0) as u64;
    for (number, (name, body)) in changes.iter().enumerate() {
        let event = frame::event(first + number as u64, name, body);
        if event.len() > Transport::API_GATEWAY.limit {
            tracing::warn!(event = name, bytes = event.len(), "an event is larger than API Gateway's WebSockets carry");
            continue;
        }
        if sockets.send(&watcher.id, &event).await? == Reached::Gone {
            return Ok(Reached::Gone);
        }
    }
    Ok(Reached::Yes)
}

/// Notes what was told. What the client asked for meanwhile is kept.
async fn note(plane: &Plane, before: &Watcher, told: Kept) -> Result<(), tidemill_store::Error> {
    let mut before = before.clone();
    let mut kept = told.clone();
    loop {
        let text = serde_json::to_string(&kept).expect("names, numbers and hashes can be written as JSON");
        let after = Watcher { watches: text, revision: before.revision + 1, ..before.clone() };
        match plane.store.transaction().watcher(Some(&before), &after)?.commit().await {
            Err(error) if error.rejects(Part::Socket) => {}
            written => return written,
        }
        let Some(found) = plane.store.watcher(&before.owner, &before.id).await? else { return Ok(()) };
        let newer: Kept = serde_json::from_str(&found.watches).unwrap_or_default();
        if newer.watches.is_empty() {
            return Ok(());
        }
        (kept, before) = (newer.after(&told), found);
    }
}

/// Lets nobody ring for an owner whom nobody watches.
async fn tidy(plane: &Plane, owner: &OwnerId, mine: &Watching, left: &[Watcher]) -> Result<(), Error> {
    let noted = match left {
        [] => plane.store.nobody_is_there(owner, mine).await,
        left if mine.watches && left.iter().all(|watcher| watcher.watches.is_empty()) => {
            plane.store.nobody_watches(owner, mine).await.map(drop)
        }
        _ => return Ok(()),
    };
    match noted {
        // Somebody came meanwhile.
        Err(error) if error.rejects(Part::Socket) => Ok(()),
        noted => Ok(noted?),
    }
}

async fn close_strangers(plane: &Plane, sockets: &dyn Sockets) -> Result<(), Error> {
    for stranger in plane.store.strangers().await? {
        if is_late(&stranger, plane.now()) {
            sockets.close(&stranger.id).await?;
            plane.store.remove_stranger(&stranger.address, &stranger.id).await?;
        }
    }
    Ok(())
}
