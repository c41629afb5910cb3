//! The objects that arrive on one connection. A pipe is known to its connection alone and goes with it: an object that is
//! not whole by then fails.
//!
//! Requests are worked on at the same time, but what concerns one pipe keeps the order in which it came: each takes its
//! [`Turn`] when it arrives, and waits for the turn before it.

use futures::channel::oneshot::{Receiver, Sender, channel};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use tidemill_operations::task_send::Pipe;

/// The pipes of a connection.
#[derive(Default)]
pub struct Pipes(Mutex<State>);

#[derive(Default)]
struct State {
    last_id: u64,
    open: HashMap<u64, Pipe>,
    /// What the next turn of a pipe waits for.
    last_turns: HashMap<u64, Receiver<()>>,
}

/// A place in the order of a pipe's requests. The next turn comes when it is dropped.
#[derive(Debug)]
pub struct Turn {
    before: Option<Receiver<()>>,
    _over: Sender<()>,
}

impl Turn {
    /// Waits until the turns before are over.
    pub async fn comes(&mut self) {
        if let Some(before) = self.before.take() {
            // It is over when its sender is gone.
            let _ = before.await;
        }
    }
}

impl Pipes {
    /// Takes the next turn of a pipe.
    pub fn turn(&self, pipe: u64) -> Turn {
        let (over, next) = channel();
        let before = self.state().last_turns.insert(pipe, next);
        Turn { before, _over: over }
    }

    /// Keeps a pipe and gives its number.
    pub fn add(&self, pipe: Pipe) -> u64 {
        let mut state = self.state();
        state.last_id += 1;
        let id = state.last_id;
        state.open.insert(id, pipe);
        id
    }

    /// Takes a pipe out; it has to be put back after a write.
    pub fn take(&self, id: u64) -> Option<Pipe> {
        self.state().open.remove(&id)
    }

    pub fn put_back(&self, id: u64, pipe: Pipe) {
        self.state().open.insert(id, pipe);
    }

    /// Forgets the turns of a pipe that was closed.
    pub fn forget(&self, id: u64) {
        self.state().last_turns.remove(&id);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while holding it")
    }
}
