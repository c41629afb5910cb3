//! The table of the model: one deployment, its runs, its outcomes and an environment; small, so that states are few.

/// Where a deployment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Active,
    Paused,
    Removed,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    pub status: Status,
    pub ticked_until: u8,
    pub version: u8,
    pub last_version: u8,
    pub revision: u8,
    pub current: Option<u8>,
    /// `current` as its maker took it. It counts as long as that run has no record.
    pub carried: Option<Row>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stand {
    Queued,
    Running,
    Succeeded,
    Cancelled,
}

/// A run. Its id is its place in the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// The minute that it was made for; `None` if a caller asked for it.
    pub tick: Option<u8>,
    pub version: u8,
    pub stand: Stand,
    pub epoch: u8,
    /// Its holder, and until when.
    pub lease: Option<(u8, u8)>,
    /// It was read from the head, for it has no record.
    pub is_carried: bool,
}

impl Row {
    pub fn is_open(&self) -> bool {
        matches!(self.stand, Stand::Queued | Stand::Running)
    }
}

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    pub head: Head,
    /// The records of the runs that were made. The head carries one that has none.
    pub runs: Vec<Option<Row>>,
    /// Minutes with an outcome but a run, one entry for each outcome.
    pub skipped: Vec<u8>,
    /// Minutes at which there was no deployment.
    pub gone: Vec<u8>,
    /// Numbers of the versions, in the order in which they were made.
    pub versions: Vec<u8>,
    /// The version that is live in an environment, and how often that changed.
    pub live: u8,
    pub live_revision: u8,
    /// Promotions that were answered.
    pub promotions: u8,
}

impl Table {
    pub fn with_one_deployment() -> Table {
        let head = Head {
            status: Status::Active,
            ticked_until: 0,
            version: 1,
            last_version: 1,
            revision: 0,
            current: None,
            carried: None,
        };
        Table {
            head,
            runs: Vec::new(),
            skipped: Vec::new(),
            gone: Vec::new(),
            versions: vec![1],
            live: 0,
            live_revision: 0,
            promotions: 0,
        }
    }

    /// Whether a bell may find something to do for a tick.
    pub fn is_due(&self, now: u8) -> bool {
        self.head.status == Status::Active && self.head.ticked_until < now
    }

    /// Reads a run. One that is nowhere is lost.
    pub fn run(&self, run: u8) -> Option<&Row> {
        let is_carried = |row: &&Row| self.head.current == Some(run) && row.is_carried;
        self.runs[usize::from(run)].as_ref().or_else(|| self.head.carried.as_ref().filter(is_carried))
    }

    /// The runs that are there.
    pub fn all(&self) -> impl Iterator<Item = (u8, &Row)> {
        (0..self.runs.len() as u8).filter_map(|run| Some((run, self.run(run)?)))
    }

    pub fn has_success(&self) -> bool {
        self.all().any(|(_, run)| run.stand == Stand::Succeeded)
    }

    /// The run that holds the right to run and has not ended.
    pub fn going(&self) -> Option<u8> {
        self.head.current.filter(|run| self.run(*run).is_some_and(Row::is_open))
    }

    /// How many outcomes a minute has.
    pub fn outcomes(&self, minute: u8) -> usize {
        let runs = self.all().filter(|(_, run)| run.tick == Some(minute)).count();
        runs + self.skipped.iter().filter(|skipped| **skipped == minute).count()
    }

    /// Keeps what does not depend on the order in which it came in one order.
    pub fn sort(&mut self) {
        self.skipped.sort_unstable();
    }
}
