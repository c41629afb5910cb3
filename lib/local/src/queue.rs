//! The local queue of bells.
//!
//! As in SQS FIFO, bells of one deployment are answered in order and one at a time; owners take turns ([`Line`]). It lives in memory:
//! after a start the sweep rings what the table says is due.

use crate::turns::Line;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidemill_operations::bell::{BellOutcome, QueueKind};
use tidemill_operations::{Bell, Clock, Error, Queue};
use tokio::sync::Notify;

type Group = (QueueKind, String);

/// How soon a bell whose handler failed rings again; it doubles with each failure in a row.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// The longest that such a bell waits.
const LONGEST_AFTER_ERROR: Duration = Duration::from_secs(60);

/// Bells of ticks, of runs and of rollouts that are answered at once.
pub const TICK_WORKERS: usize = 16;
pub const RUN_WORKERS: usize = 32;
pub const ROLLOUT_WORKERS: usize = 8;

/// How many bells of a queue are answered at once.
fn workers(kind: QueueKind) -> usize {
    match kind {
        QueueKind::Ticks => TICK_WORKERS,
        QueueKind::Runs => RUN_WORKERS,
        QueueKind::Rollouts => ROLLOUT_WORKERS,
        QueueKind::Sockets => usize::MAX,
    }
}

/// Bells that wait to be answered.
pub struct LocalQueue {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// One for each queue: a worker of another queue would swallow the notice.
    rung: [Notify; 4],
}

#[derive(Default)]
struct State {
    groups: HashMap<Group, GroupBells>,
    /// Groups whose first bell may be answered.
    ready: [Line; 4],
    /// Groups whose first bell rings again at an instant.
    asleep: BTreeSet<(Timestamp, Group)>,
}

#[derive(Default)]
struct GroupBells {
    bells: VecDeque<Bell>,
    is: GroupState,
    /// How often in a row the first bell's handler failed.
    failures: u32,
}

/// Where a group stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum GroupState {
    #[default]
    Ready,
    InHand,
    Asleep(Timestamp),
}

impl LocalQueue {
    pub fn new(clock: Arc<dyn Clock>) -> LocalQueue {
        LocalQueue { clock, state: Mutex::default(), rung: Default::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic happens while it is held")
    }

    /// Takes the next bell of a queue into hand, if one is due.
    pub fn take(&self, kind: QueueKind) -> Option<Bell> {
        let mut state = self.state();
        state.wake(self.clock.now());
        let line = &mut state.ready[kind as usize];
        let group = line.take(workers(kind))?;
        if !line.is_empty() {
            self.rung[kind as usize].notify_one();
        }
        let waiting = state.groups.get_mut(&(kind, group))?;
        waiting.is = GroupState::InHand;
        waiting.bells.front().cloned()
    }

    /// Puts a bell out of hand: it is answered, or rings again.
    pub fn settle(&self, bell: &Bell, answered: &Result<BellOutcome, Error>) {
        let group = (bell.queue(), bell.group());
        let kind = group.0;
        let mut state = self.state();
        state.ready[kind as usize].put_back(&group.1);
        let Some(waiting) = state.groups.get_mut(&group) else { return };
        let delay = match answered {
            Ok(BellOutcome::Done) => None,
            Ok(BellOutcome::RingAgain(delay)) => Some(*delay),
            Err(_) => Some(after_error(waiting.failures)),
        };
        waiting.failures = if answered.is_err() { waiting.failures.saturating_add(1) } else { 0 };
        if delay.is_none() {
            waiting.bells.pop_front();
        }
        match delay {
            _ if waiting.bells.is_empty() => _ = state.groups.remove(&group),
            None => state.make_ready(group),
            Some(delay) => state.put_to_sleep(group, later(self.clock.now(), delay)),
        }
        drop(state);
        // Even where no bell of this group is left, those of an owner may have waited for the worker.
        self.rung[kind as usize].notify_one();
    }

    /// When the first sleeping group rings again.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.state().asleep.first().map(|(at, _)| *at)
    }

    /// Waits for a bell, or until the next sleeping one rings again.
    pub async fn rung(&self, kind: QueueKind) {
        let wake =
            self.next_wake().map(|at| Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default());
        // Not longer than a second, so that a clock that jumps is noticed.
        let longest = wake.unwrap_or(Duration::MAX).min(Duration::from_secs(1)).max(Duration::from_millis(1));
        tokio::select! {
            () = self.rung[kind as usize].notified() => {}
            () = tokio::time::sleep(longest) => {}
        }
    }

    fn push(&self, bell: Bell, delay: Duration) {
        let group = (bell.queue(), bell.group());
        let kind = group.0;
        let now = self.clock.now();
        let mut state = self.state();
        let waiting = state.groups.entry(group.clone()).or_default();
        let is_new = waiting.bells.is_empty();
        // The one in hand may already have looked at the table, so a doubled bell is kept beside it.
        let in_hand = usize::from(waiting.is == GroupState::InHand);
        if !waiting.bells.iter().skip(in_hand).any(|known| *known == bell) {
            waiting.bells.push_back(bell);
        }
        match (is_new, waiting.is, delay.is_zero()) {
            (true, _, true) => state.make_ready(group),
            (true, _, false) => state.put_to_sleep(group, later(now, delay)),
            // Something changed: the sleeping one looks again, and goes back to sleep if it is not its time.
            (false, GroupState::Asleep(at), true) => {
                state.asleep.remove(&(at, group.clone()));
                state.make_ready(group);
            }
            _ => {}
        }
        drop(state);
        self.rung[kind as usize].notify_one();
    }
}

impl State {
    fn wake(&mut self, now: Timestamp) {
        while let Some((at, group)) = self.asleep.first().filter(|(at, _)| *at <= now).cloned() {
            self.asleep.remove(&(at, group.clone()));
            self.make_ready(group);
        }
    }

    fn make_ready(&mut self, group: Group) {
        if let Some(waiting) = self.groups.get_mut(&group) {
            waiting.is = GroupState::Ready;
            let (kind, group) = group;
            self.ready[kind as usize].push(group);
        }
    }

    fn put_to_sleep(&mut self, group: Group, until: Timestamp) {
        if let Some(waiting) = self.groups.get_mut(&group) {
            waiting.is = GroupState::Asleep(until);
            self.asleep.insert((until, group));
        }
    }
}

fn after_error(failures: u32) -> Duration {
    AFTER_ERROR.saturating_mul(1 << failures.min(16)).min(LONGEST_AFTER_ERROR)
}

fn later(now: Timestamp, delay: Duration) -> Timestamp {
    SignedDuration::try_from(delay).ok().and_then(|delay| now.checked_add(delay).ok()).unwrap_or(Timestamp::MAX)
}

impl Queue for LocalQueue {
    fn ring<'a>(&'a self, bell: Bell, delay: Duration) -> BoxFuture<'a, Result<(), Error>> {
        self.push(bell, delay);
        Box::pin(std::future::ready(Ok(())))
    }

    /// No dead worker holds a bell here.
    fn ring_again<'a>(&'a self, bell: Bell) -> BoxFuture<'a, Result<(), Error>> {
        self.ring(bell, Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemill_model::ids::OwnerId;
    use tidemill_operations::Code;

    struct FixedClock(Mutex<Timestamp>);

    impl Clock for FixedClock {
        fn now(&self) -> Timestamp {
            *self.0.lock().expect("no panic happens while it is held")
        }

        fn uptime(&self) -> Duration {
            Duration::ZERO
        }
    }

    /// How long a bell sleeps after each answer.
    fn pauses(answers: impl IntoIterator<Item = Result<BellOutcome, Error>>) -> Vec<i64> {
        let clock = Arc::new(FixedClock(Mutex::new(Timestamp::UNIX_EPOCH)));
        let queue = LocalQueue::new(clock.clone());
        queue.push(Bell::Watch { owner: OwnerId::parse("ana").expect("it is a name") }, Duration::ZERO);
        let pause = |answer| {
            let bell = queue.take(QueueKind::Sockets).expect("it rings");
            queue.settle(&bell, &answer);
            let (now, wake) = (clock.now(), queue.next_wake().expect("it sleeps"));
            *clock.0.lock().expect("no panic happens while it is held") = wake;
            wake.duration_since(now).as_secs()
        };
        answers.into_iter().map(pause).collect()
    }

    fn failed() -> Result<BellOutcome, Error> {
        Err(Error::new(Code::Unavailable, "the table did not answer in time"))
    }

    #[test]
    fn a_bell_that_always_fails_rings_ever_more_rarely() {
        assert_eq!(pauses((0..9).map(|_| failed())), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn a_bell_that_was_answered_in_between_starts_over() {
        let again = Ok(BellOutcome::RingAgain(Duration::from_secs(5)));

        assert_eq!(pauses([failed(), failed(), again, failed()]), [1, 2, 5, 1]);
    }
}
