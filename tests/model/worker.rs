//! What a worker has in hand between a read and a write.

use crate::records::{self, instant, run_number};
use crate::table::{Head, Row};
use crate::{Mistake, Rules, State};
use tidemill_model::lease::Process;

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
    pub fn claim(rules: &Rules, state: &State, worker: usize, run: usize) -> Option<Work> {
        let row = state.table.runs[run].clone();
        let found = records::run(run as u8, &row);
        let name = worker.to_string();
        let may = found.may_be_claimed(instant(state.now), Process { name: &name, is_alone: false });
        let ignores = rules.makes(Mistake::LeaseIgnored) && row.is_open();
        (may || ignores).then(|| Work::Claim {
            head: state.table.head.clone(),
            going: state.table.going(),
            run: run as u8,
            row,
        })
    }

    pub fn change(state: &State, change: Change) -> Work {
        Work::Change { change, head: state.table.head.clone(), live_revision: state.table.live_revision }
    }
}

/// Whether some worker can go on with a run, now or once its lease is over.
pub fn can_go_on(state: &State, run: usize) -> bool {
    let row = &state.table.runs[run];
    let after_lease = instant(state.now + LEASE + 1);
    let nobody = Process { name: "nobody", is_alone: false };
    let found = records::run(run as u8, row);
    let turn = state
        .table
        .going()
        .is_none_or(|going| usize::from(going) == run || state.table.runs[usize::from(going)].is_open());
    found.may_be_claimed(after_lease, nobody) && turn && run_number(&found.id) == run as u8
}
