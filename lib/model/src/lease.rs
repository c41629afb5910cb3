//! The right to act on a record until an instant: on a run, on a rollout.

use crate::wrong::{self, Mistake};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Workers that may die in a row at a run or a rollout without any progress before it is given up. A process dies with all that it has
/// in hand, so most of them did not die of this one.
pub const DEATHS: u32 = 20;

/// The right to act on a record until an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The process that holds it; empty once it was given back.
    pub holder: String,
    /// When it ends, unless its holder extends it.
    pub until: Timestamp,
}

/// A process that meets leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process<'a> {
    /// What leases name it by, unique among the processes of a table.
    pub name: &'a str,
    /// No other process works on the table, so a lease that does not name this one is void.
    pub is_alone: bool,
}

impl Lease {
    /// A lease that was given back: anyone may take the record at once.
    pub fn given_back(now: Timestamp) -> Lease {
        Lease { holder: String::new(), until: now }
    }

    /// Whether its holder gave it back before it ended.
    pub fn is_given_back(&self) -> bool {
        self.holder.is_empty()
    }

    /// Whether its holder may still act, as `process` sees it.
    pub fn holds(&self, now: Timestamp, process: Process<'_>) -> bool {
        let is_void = process.is_alone && self.holder != process.name;
        self.until > now && !is_void && !wrong::is(Mistake::LeaseIgnored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_lease_holds_until_its_instant_and_not_at_it() {
        let lease = Lease { holder: "a".into(), until: at(30) };
        let other = Process { name: "b", is_alone: false };

        assert!(lease.holds(at(29), other));
        assert!(!lease.holds(at(30), other));
    }

    #[test]
    fn a_process_that_is_alone_heeds_no_lease_but_its_own() {
        let lease = Lease { holder: "a".into(), until: at(30) };

        assert!(!lease.holds(at(0), Process { name: "b", is_alone: true }));
        assert!(lease.holds(at(0), Process { name: "a", is_alone: true }));
    }

    #[test]
    fn a_lease_that_was_given_back_holds_no_longer() {
        let lease = Lease::given_back(at(5));

        assert!(lease.is_given_back());
        assert!(!lease.holds(at(5), Process { name: "a", is_alone: false }));
    }
}
