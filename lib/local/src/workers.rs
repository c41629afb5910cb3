//! What a local plane does beside answering requests: its workers, its timers, its sweep.

use crate::queue::LocalQueue;
use crate::timers::LocalTimers;
use std::sync::Arc;
use std::time::Duration;
use tidemill_operations::bell::QueueKind;
use tidemill_operations::plane;
use tidemill_operations::{Clock, Code, Plane, Queue};
use tidemill_protocols::functions;
use tokio::sync::watch;

const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// How often expired items are deleted.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(600);

/// Runs something until the plane stops.
pub async fn until(mut stopped: watch::Receiver<bool>, task: impl Future<Output = ()>) {
    tokio::select! {
        _ = stopped.wait_for(|stop| *stop) => {}
        () = task => {}
    }
}

/// Answers the bells of a queue, one after the other. The table reports a full disk itself, once.
pub async fn work(plane: Arc<Plane>, queue: Arc<LocalQueue>, kind: QueueKind) {
    let handle = functions::bell_handler(kind);
    while !plane.is_stopping() {
        let Some(bell) = queue.take(kind) else {
            queue.rung(kind).await;
            continue;
        };
        let in_hand = tokio::spawn({
            let (plane, bell) = (plane.clone(), bell.clone());
            async move { handle(&plane, bell, None).await }
        });
        let answered = in_hand.await.unwrap_or_else(|panic| Err(tidemill_operations::Error::internal(panic)));
        if let Err(error) = &answered
            && error.code != Code::DiskFull
        {
            tracing::warn!(?bell, error = error.with_causes(), "a bell was not answered and rings again");
        }
        queue.settle(&bell, &answered);
    }
}

/// Rings the bells of timers when they are due.
pub async fn keep_time(timers: Arc<LocalTimers>, queue: Arc<LocalQueue>, clock: Arc<dyn Clock>) {
    loop {
        for bell in timers.due(clock.now()) {
            // The local queue takes every bell.
            let _ = queue.ring(bell, Duration::ZERO).await;
        }
        let wait = timers.next_due().map(|at| Duration::try_from(at.duration_since(clock.now())).unwrap_or_default());
        // Not longer than a second, so that a clock that jumps is noticed.
        let wait = wait.unwrap_or(Duration::MAX).min(Duration::from_secs(1));
        tokio::select! {
            () = timers.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

pub async fn sweep(plane: Arc<Plane>) {
    match plane::sweep::after_start(&plane).await {
        Ok(swept) if swept.deployments == 0 => {}
        Ok(swept) => tracing::info!(runs = swept.runs_rung, due = swept.ticks_rung, "the plane goes on from the table"),
        Err(error) if error.code == Code::DiskFull => {}
        Err(error) => tracing::error!(error = error.with_causes(), "the first sweep failed"),
    }
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        for handle in functions::minute_handlers() {
            if let Err(error) = handle(&plane).await
                && error.code != Code::DiskFull
            {
                tracing::error!(error = error.with_causes(), "a sweep failed");
            }
        }
    }
}

pub async fn expire(plane: Arc<Plane>) {
    loop {
        tokio::time::sleep(EXPIRY_INTERVAL).await;
        match plane::expiry::run(&plane).await {
            Ok(deleted) => tracing::debug!(deleted, "expired items were deleted"),
            Err(error) => tracing::warn!(error = error.with_causes(), "expired items could not be deleted"),
        }
    }
}
