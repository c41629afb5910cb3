//! The way to the plane, which both threads use. What is said of a step comes before its end: a process goes on to other work, and
//! nothing of one execution may be taken for another's.

use crate::engine::protocol::Reply;
use futures::channel::mpsc::UnboundedReceiver as Messages;
use std::sync::{Arc, Mutex, MutexGuard};
use tidemill_engine::{Counts, Event, Gauge};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Replies in their order.
#[derive(Clone)]
pub struct Line(Arc<Mutex<Ends>>);

struct Ends {
    replies: UnboundedSender<Reply>,
    /// A step was asked for, and is not answered.
    is_busy: bool,
    /// What is executed, while a step of it is in hand.
    in_hand: Option<InHand>,
}

/// What the plane may hear of while a step goes on.
pub struct InHand {
    pub gauge: Gauge,
    /// What components say to the sender of the object.
    pub messages: Messages<Event>,
    /// The counts that the plane heard last.
    pub reported: Option<Counts>,
}

/// A line, and its other end.
pub fn line() -> (Line, UnboundedReceiver<Reply>) {
    let (replies, receiver) = unbounded_channel();
    (Line(Arc::new(Mutex::new(Ends { replies, is_busy: false, in_hand: None }))), receiver)
}

impl Line {
    /// A step is asked for.
    pub fn ask(&self) {
        self.ends().is_busy = true;
    }

    /// A step begins.
    pub fn open(&self, in_hand: InHand) {
        self.ends().in_hand = Some(in_hand);
    }

    /// Says what the plane has not heard of the step in hand. Gives how many values were begun so far, or `None` if there is no step.
    pub fn report(&self) -> Option<u64> {
        self.ends().report()
    }

    /// A step has ended. Gives back what it was of.
    pub fn close(&self, reply: Reply) -> Option<InHand> {
        let mut ends = self.ends();
        ends.hand_on_messages();
        ends.send(reply);
        ends.is_busy = false;
        ends.in_hand.take()
    }

    pub fn send(&self, reply: Reply) {
        self.ends().send(reply);
    }

    pub fn is_busy(&self) -> bool {
        self.ends().is_busy
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().expect("no panic happens while it is held")
    }
}

impl Ends {
    fn report(&mut self) -> Option<u64> {
        self.hand_on_messages();
        let InHand { gauge, reported, .. } = self.in_hand.as_mut()?;
        let (lines, counts) = (gauge.take_log(), gauge.counts());
        let begun = counts.as_ref().map_or(0, begun);
        if !lines.is_empty() || counts != *reported {
            reported.clone_from(&counts);
            self.send(Reply::Progress { lines, counts });
        }
        Some(begun)
    }

    fn hand_on_messages(&mut self) {
        let Some(in_hand) = &mut self.in_hand else { return };
        while let Ok(message) = in_hand.messages.try_recv() {
            let _ = self.replies.send(Reply::Message(message));
        }
    }

    /// Without a plane that listens, the process is about to end.
    fn send(&self, reply: Reply) {
        let _ = self.replies.send(reply);
    }
}

/// Values that were begun: those that the source gave, and those that came to components.
fn begun(counts: &Counts) -> u64 {
    counts.objects + counts.components.iter().map(|component| component.taken).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::channel::mpsc::unbounded;
    use tidemill_engine::Error;

    #[test]
    fn a_step_is_in_hand_from_the_request_to_the_answer() {
        let (line, _replies) = line();
        assert!(!line.is_busy());

        line.ask();
        assert!(line.is_busy(), "it is looked at before the other thread takes it up");
        line.open(InHand { gauge: Gauge::default(), messages: unbounded().1, reported: None });
        assert!(line.is_busy());
        let error = Box::new(Error::of_plan("a fault"));
        line.close(Reply::Failed { error, next: crate::engine::protocol::Next::Start });

        assert!(!line.is_busy());
    }
}
