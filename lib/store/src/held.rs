//! The proof that a record may be written: its lease was taken by a conditional write.

use std::ops::Deref;
use tidemill_model::run::Run;

/// A record whose lease was taken, as it was last read or written.
///
/// Only a claim in the table makes one, so a write that asks for it cannot come from a process that claimed nothing.
/// Whether the lease still holds is decided by the write's own condition, on the record's epoch.
#[derive(Debug)]
pub struct Held<R>(R);

impl<R> Held<R> {
    pub(crate) fn by_claim(record: R) -> Held<R> {
        Held(record)
    }
}

impl<R> Deref for Held<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.0
    }
}

impl Held<Run> {
    /// Takes over the run as it was read again or written; `false` if the lease was lost: another worker has claimed the
    /// run, or it has ended.
    pub fn follow(&mut self, run: Run) -> bool {
        let is_same = run.id == self.0.id && run.epoch == self.0.epoch && run.state == self.0.state;
        if is_same {
            self.0 = run;
        }
        is_same
    }
}
