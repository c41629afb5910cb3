//! What a handler left of a body. A server that answers and closes while its caller still sends resets the connection,
//! and the answer is lost with it; so some of what is sent to no purpose is read and dropped.

use super::Arriving;
use futures::stream::{StreamExt, poll_fn};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::timeout;

/// Bytes that are dropped for a caller who was refused, also for want of a key: clients read no answer before they have sent.
const DROPPED: usize = 16 * 1024 * 1024;
/// How long the next part may take, and all of them together: a refusal waits no longer.
const SILENCE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);

/// A body that a handler may leave unread.
pub struct Unread(Arc<Mutex<Arriving>>);

impl Unread {
    /// The body for the handler, and what may be left of it.
    pub fn of(body: Arriving) -> (Arriving, Unread) {
        let shared: Arc<Mutex<Arriving>> = Arc::new(Mutex::new(body.fuse().boxed()));
        let unread = Unread(shared.clone());
        let body = poll_fn(move |context| {
            let mut body = shared.lock().expect("no panic happens while it is held");
            body.poll_next_unpin(context)
        });
        (body.boxed(), unread)
    }

    /// Reads what is left after an answer, as far as it is not too much and does not take too long.
    pub async fn drop_rest(self) {
        let _ = timeout(PATIENCE, self.read()).await;
    }

    async fn read(self) {
        let mut dropped = 0;
        let mut rest = poll_fn(|context| {
            let mut body = self.0.lock().expect("no panic happens while it is held");
            body.poll_next_unpin(context)
        });
        while let Ok(Some(Ok(part))) = timeout(SILENCE, rest.next()).await {
            dropped += part.len();
            if dropped > DROPPED {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures::stream::{pending, repeat_with, unfold};
    use std::sync::atomic::{AtomicUsize, Ordering};

    const PART: usize = 1024 * 1024;

    /// How many of the parts of a body are read when its handler reads some and leaves the rest.
    async fn read(parts: usize, by_handler: usize) -> usize {
        let read = Arc::<AtomicUsize>::default();
        let counter = read.clone();
        let endless = repeat_with(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(Bytes::from(vec![0; PART]))
        });
        let (mut body, unread) = Unread::of(endless.take(parts).boxed());
        for _ in 0..by_handler {
            body.next().await.unwrap().unwrap();
        }
        drop(body);
        unread.drop_rest().await;
        read.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn a_body_is_read_to_its_end_unless_it_is_too_large() {
        assert_eq!(read(5, 0).await, 5);
        assert_eq!(read(5, 3).await, 5);
        assert_eq!(read(5, 5).await, 5);
        assert_eq!(read(1000, 0).await, DROPPED / PART + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_stalls_or_dawdles_is_not_waited_for() {
        let started = tokio::time::Instant::now();
        let (_, unread) = Unread::of(pending().boxed());
        unread.drop_rest().await;
        assert_eq!(started.elapsed(), SILENCE);

        let dawdling = unfold((), |()| async {
            tokio::time::sleep(SILENCE / 2).await;
            Some((Ok(Bytes::from_static(b"x")), ()))
        });
        let started = tokio::time::Instant::now();
        let (_, unread) = Unread::of(dawdling.boxed());
        unread.drop_rest().await;
        assert_eq!(started.elapsed(), PATIENCE);
    }
}
