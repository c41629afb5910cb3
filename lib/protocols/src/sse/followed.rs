//! A rollout as events: each snapshot of it makes some, and a final one makes the last.

use super::Frame;
use futures::stream::{Stream, unfold};
use std::collections::VecDeque;
use tidemill_operations::rollout::watches::{Following, Snapshot};

/// Streams a rollout until it has ended. A client takes a stream up again that ends before: the plane stops, or the
/// rollout does not exist any more.
pub fn followed(
    following: Following,
    make: impl FnMut(&Snapshot) -> Vec<Frame> + Send + 'static,
) -> impl Stream<Item = Frame> + Send + 'static {
    let frames = RolloutFrames { following, make, pending: VecDeque::new(), is_first: true, is_over: false };
    unfold(frames, |mut frames| async { frames.next().await.map(|frame| (frame, frames)) })
}

struct RolloutFrames<F> {
    following: Following,
    make: F,
    /// Made and not sent.
    pending: VecDeque<Frame>,
    is_first: bool,
    is_over: bool,
}

impl<F: FnMut(&Snapshot) -> Vec<Frame>> RolloutFrames<F> {
    async fn next(&mut self) -> Option<Frame> {
        while self.pending.is_empty() && !self.is_over {
            if !self.is_first {
                self.following.changed().await.ok()?;
            }
            self.is_first = false;
            let snapshot = self.following.borrow_and_update().clone();
            self.is_over = snapshot.rollout.state.is_final();
            self.pending.extend((self.make)(&snapshot));
        }
        self.pending.pop_front()
    }
}
