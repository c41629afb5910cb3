//! A rollout as events: each snapshot of it makes some, and a final one makes the last.

use super::Frame;
use futures::stream::{Stream, unfold};
use std::collections::VecDeque;
use tidemill_operations::rollout::watches::{Following, Snapshot};

/// Tells a rollout until it has ended. A stream that ends before is to be taken up again: the plane stops, or the rollout
/// is not there any more.
pub fn followed(
    following: Following,
    tell: impl FnMut(&Snapshot) -> Vec<Frame> + Send + 'static,
) -> impl Stream<Item = Frame> + Send + 'static {
    let telling = Telling { following, tell, told: VecDeque::new(), is_first: true, is_over: false };
    unfold(telling, |mut telling| async { telling.next().await.map(|frame| (frame, telling)) })
}

struct Telling<F> {
    following: Following,
    tell: F,
    /// What was told and is not sent.
    told: VecDeque<Frame>,
    is_first: bool,
    is_over: bool,
}

impl<F: FnMut(&Snapshot) -> Vec<Frame>> Telling<F> {
    async fn next(&mut self) -> Option<Frame> {
        while self.told.is_empty() && !self.is_over {
            if !self.is_first {
                self.following.changed().await.ok()?;
            }
            self.is_first = false;
            let snapshot = self.following.borrow_and_update().clone();
            self.is_over = snapshot.rollout.state.is_final();
            self.told.extend((self.tell)(&snapshot));
        }
        self.told.pop_front()
    }
}
