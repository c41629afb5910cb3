//! What waits to be sent on a connection. It is bounded: a client that asks and does not read loses its connection, and
//! the plane no memory.

use super::outgoing::{Close, Outgoing};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::{Stream, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

/// Bytes that may wait before one more is put: a client that reads has them within seconds.
const LIMIT: usize = 64 * 1024 * 1024;
/// What each takes beside its text, in bytes.
const OVERHEAD: usize = 64;
/// What is counted once too much has waited. One message may be taken out afterwards, which was taken up before: it stays far above
/// the limit.
const OVER: usize = usize::MAX / 2;

/// Takes what is to be sent.
#[derive(Clone)]
pub struct Outbox {
    sender: UnboundedSender<Outgoing>,
    waiting: Arc<AtomicUsize>,
}

/// Gives what was put into the outbox, in its order; a close, once too much has waited.
pub struct Outgoings {
    receiver: UnboundedReceiver<Outgoing>,
    waiting: Arc<AtomicUsize>,
    is_closed: bool,
}

/// An empty outbox, and where its contents come out.
pub fn outbox() -> (Outbox, Outgoings) {
    let (sender, receiver) = unbounded();
    let waiting: Arc<AtomicUsize> = Arc::default();
    (Outbox { sender, waiting: waiting.clone() }, Outgoings { receiver, waiting, is_closed: false })
}

impl Outbox {
    /// What is put after the client has gone, or has left too much unread, is dropped.
    pub(super) fn put(&self, outgoing: Outgoing) {
        if self.waiting.fetch_add(size(&outgoing), Ordering::Relaxed) < LIMIT {
            // An error says that the client is gone.
            let _ = self.sender.unbounded_send(outgoing);
        } else {
            self.waiting.fetch_max(OVER, Ordering::Relaxed);
        }
    }
}

impl Outgoings {
    /// What waits now, if anything does.
    pub fn pop(&mut self) -> Option<Outgoing> {
        if self.is_over() {
            return self.close();
        }
        let outgoing = self.receiver.try_recv().ok()?;
        self.waiting.fetch_sub(size(&outgoing), Ordering::Relaxed);
        Some(outgoing)
    }

    fn is_over(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= OVER / 2
    }

    /// The last of all.
    fn close(&mut self) -> Option<Outgoing> {
        let is_closed = std::mem::replace(&mut self.is_closed, true);
        (!is_closed).then_some(Outgoing::Close(Close::UNREAD))
    }
}

impl Stream for Outgoings {
    type Item = Outgoing;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Outgoing>> {
        if self.is_over() {
            return Poll::Ready(self.close());
        }
        let next = ready!(self.receiver.poll_next_unpin(context));
        if let Some(outgoing) = &next {
            self.waiting.fetch_sub(size(outgoing), Ordering::Relaxed);
        }
        Poll::Ready(next)
    }
}

fn size(outgoing: &Outgoing) -> usize {
    match outgoing {
        Outgoing::Text(text) => text.len() + OVERHEAD,
        Outgoing::Close(_) => OVERHEAD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: usize) -> Outgoing {
        Outgoing::Text("x".repeat(bytes))
    }

    #[test]
    fn the_outbox_of_a_client_that_does_not_read_is_bounded_and_closes_its_socket() {
        let (outbox, mut outgoings) = outbox();
        for _ in 0..200 {
            outbox.put(text(1024 * 1024));
        }

        assert_eq!(outgoings.pop(), Some(Outgoing::Close(Close::UNREAD)));
        let mut kept = 0;
        while let Ok(one) = outgoings.receiver.try_recv() {
            kept += size(&one);
        }
        assert!(kept <= LIMIT + 1024 * 1024 + OVERHEAD, "{kept} bytes are kept");
    }

    #[test]
    fn a_client_that_reads_gets_any_amount() {
        let (outbox, mut outgoings) = outbox();
        for _ in 0..200 {
            outbox.put(text(1024 * 1024));
            assert_eq!(outgoings.pop(), Some(text(1024 * 1024)));
        }
        assert_eq!(outgoings.pop(), None);
    }

    #[test]
    fn one_answer_may_be_larger_than_all_that_may_wait() {
        let (outbox, mut outgoings) = outbox();
        outbox.put(text(LIMIT + 1));
        assert_eq!(outgoings.pop(), Some(text(LIMIT + 1)));
        outbox.put(text(1));
        assert_eq!(outgoings.pop(), Some(text(1)));
    }
}
