//! The objects that arrive under one login of a connection. A pipe belongs to its login and ends with it: an
//! object that is not whole by then fails.
//!
//! Requests are worked on at the same time, but what concerns one pipe keeps the order in which it came: each takes its
//! [`PipeTurn`] when it arrives, and waits for the turn before it.

use futures::channel::oneshot::{Receiver, Sender, channel};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tidemill_operations::task::pipe::Pipe;

/// The pipes of a login.
#[derive(Default)]
pub struct Pipes(Mutex<State>);

#[derive(Default)]
struct State {
    open: HashMap<u64, OpenPipe>,
    last_turn: u64,
    /// By pipe, the number of the turn that was taken last, and what the next one waits for. A pipe is only named here
    /// while a request has a turn at it, so naming pipes that do not exist costs nothing.
    last_turns: HashMap<u64, (u64, Receiver<()>)>,
}

/// A pipe, and the token that its object was sent to.
pub struct OpenPipe {
    pub pipe: Pipe,
    token: String,
}

/// A place in the order of a pipe's requests. The next turn comes when it is dropped.
pub struct PipeTurn {
    pipes: Arc<Pipes>,
    pipe: u64,
    number: u64,
    before: Option<Receiver<()>>,
    _over: Sender<()>,
}

impl PipeTurn {
    /// Waits until the turns before are over.
    pub async fn comes(&mut self) {
        if let Some(before) = self.before.take() {
            // It is over when its sender is gone.
            let _ = before.await;
        }
    }
}

impl Drop for PipeTurn {
    fn drop(&mut self) {
        let mut state = self.pipes.state();
        if state.last_turns.get(&self.pipe).is_some_and(|(last, _)| *last == self.number) {
            state.last_turns.remove(&self.pipe);
        }
    }
}

impl Pipes {
    /// Takes the next turn of a pipe.
    pub fn turn(self: &Arc<Self>, pipe: u64) -> PipeTurn {
        let (over, next) = channel();
        let mut state = self.state();
        state.last_turn += 1;
        let number = state.last_turn;
        let before = state.last_turns.insert(pipe, (number, next)).map(|(_, before)| before);
        PipeTurn { pipes: self.clone(), pipe, number, before, _over: over }
    }

    /// Keeps a pipe and gives its number.
    pub fn add(&self, pipe: Pipe, token: String) -> u64 {
        let id = pipe.number;
        self.state().open.insert(id, OpenPipe { pipe, token });
        id
    }

    /// Whether there is a pipe, of that token if one is given.
    pub fn has(&self, id: u64, token: Option<&str>) -> bool {
        self.state().open.get(&id).is_some_and(|open| open.is_of(token))
    }

    /// Takes a pipe out; it has to be put back after a write.
    pub fn take(&self, id: u64, token: Option<&str>) -> Option<OpenPipe> {
        let mut state = self.state();
        if !state.open.get(&id)?.is_of(token) {
            return None;
        }
        state.open.remove(&id)
    }

    pub fn put_back(&self, id: u64, open: OpenPipe) {
        self.state().open.insert(id, open);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic happens while it is held")
    }
}

impl OpenPipe {
    /// Without a token, the pipe's own is meant.
    fn is_of(&self, token: Option<&str>) -> bool {
        token.is_none_or(|token| token == self.token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn a_turn_comes_when_the_one_before_is_over() {
        let pipes = Arc::<Pipes>::default();
        let (first, mut second, mut third) = (pipes.turn(7), pipes.turn(7), pipes.turn(7));

        assert!(second.comes().now_or_never().is_none());
        assert!(pipes.turn(8).comes().now_or_never().is_some(), "another pipe does not wait");
        drop(first);
        assert!(second.comes().now_or_never().is_some());
        assert!(third.comes().now_or_never().is_none());
        drop(second);
        assert!(third.comes().now_or_never().is_some());
    }

    #[test]
    fn pipes_that_a_client_names_are_forgotten_when_their_turns_are_over() {
        let pipes = Arc::<Pipes>::default();

        for pipe in 0..1000 {
            drop((pipes.turn(pipe), pipes.turn(pipe)));
        }

        assert!(pipes.state().last_turns.is_empty());
    }
}
