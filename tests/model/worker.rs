//! What a worker has in hand between a read and a write.

use crate::records::{self, instant};
use crate::table::{Head, Row, Status};
use crate::{Mistake, Rules, State};
use tidemill_model::lease::{Lease, Process};
use tidemill_model::run::Claim;

/// Minutes that a lease lasts.
pub const LEASE: u8 = 1;

/// What a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    Pause,
    Resume,
    Update,
    Remove,
    Add,
    Promote,
    /// A run by hand, or by a webhook.
    Run,
}

impl Change {
    pub const ALL: [Change; 7] =
        [Change::Pause, Change::Resume, Change::Update, Change::Remove, Change::Add, Change::Promote, Change::Run];
}

/// What a worker has read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    Idle,
    Tick {
        head: Head,
        going: Option<u8>,
    },
    Claim {
        head: Head,
        going: Option<u8>,
        run: u8,
        row: Row,
    },
    /// It holds a run, which it last wrote as this.
    Running {
        run: u8,
        row: Row,
    },
    Change {
        change: Change,
        head: Head,
        live_revision: u8,
    },
}

impl Work {
    pub fn tick(state: &State) -> Work {
        Work::Tick { head: state.table.head.clone(), going: state.table.going() }
    }

    /// Reads a run; `None` if it may not be claimed.
    pub fn claim(rules: &Rules, state: &State, worker: usize, run: u8) -> Option<Work> {
        let row = state.table.run(run)?.clone();
        let found = records::run(run, &row);
        let name = worker.to_string();
        let may = found.may_be_claimed(instant(state.now), Process { name: &name, is_alone: false });
        let ignores = rules.makes(Mistake::LeaseIgnored) && row.is_open();
        (may || ignores).then(|| Work::Claim { head: state.table.head.clone(), going: state.table.going(), run, row })
    }

    pub fn change(state: &State, change: Change) -> Work {
        Work::Change { change, head: state.table.head.clone(), live_revision: state.table.live_revision }
    }
}

/// Whether some worker can go on with a run, now or once its lease is over: it may be claimed, and so may the run before it, unless a
/// pause holds that.
pub fn can_go_on(state: &State, run: u8, row: &Row) -> bool {
    let after_lease = instant(state.now + LEASE + 1);
    let another = Process { name: "another", is_alone: false };
    let found = records::run(run, row);
    let first = state.table.going().unwrap_or(run);
    let Some(first) = state.table.run(first).map(|row| records::run(first, row)) else { return false };
    let lease = Lease { holder: "another".to_owned(), until: after_lease };
    let is_rest = match first.claim(Some(&records::deployment(&state.table.head)), None, lease, after_lease) {
        Claim::Granted { .. } | Claim::Removed => true,
        Claim::Held => state.table.head.status == Status::Paused,
        Claim::Behind(_) => false,
    };
    found.may_be_claimed(after_lease, another) && is_rest
}
