//! The kinds of events, as the clients know them: names and bits.

use serde::{Deserialize, Serialize};
use std::ops::{BitAnd, BitOr};

/// A set of kinds. Debugger and billing events are accepted and never sent: nothing here makes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Types(pub u32);

impl Types {
    pub const DETAIL: Types = Types(2);
    pub const SUMMARY: Types = Types(4);
    pub const OUTPUT: Types = Types(8);
    pub const FLOW: Types = Types(16);
    pub const TASK: Types = Types(32);
    pub const SSE: Types = Types(64);
    pub const DASHBOARD: Types = Types(128);
    pub const DEPLOY: Types = Types(512);
    /// Events of one object.
    pub const OF_OBJECTS: Types = Types(Types::FLOW.0 | Types::SSE.0);
    /// Events of no single task, for those who monitor everything.
    pub const OF_OWNER: Types = Types(Types::DASHBOARD.0 | Types::DEPLOY.0);
    pub const ALL: Types = Types(1023);

    const NAMES: [(&'static str, u32); 10] = [
        ("debugger", 1),
        ("detail", 2),
        ("summary", 4),
        ("output", 8),
        ("flow", 16),
        ("task", 32),
        ("sse", 64),
        ("dashboard", 128),
        ("billing", 256),
        ("deploy", 512),
    ];

    /// The bits of a name in any case; an unknown one has none, and so has `none`.
    pub fn named(name: &str) -> Types {
        if name.eq_ignore_ascii_case("all") {
            return Types::ALL;
        }
        let found = Types::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        Types(found.map_or(0, |(_, bit)| *bit))
    }

    /// The known ones of some bits, as a client sends them.
    pub fn of(bits: u64) -> Types {
        Types((bits & u64::from(Types::ALL.0)) as u32)
    }

    pub fn names(self) -> Vec<&'static str> {
        Types::NAMES.iter().filter(|(_, bit)| self.0 & bit != 0).map(|(name, _)| *name).collect()
    }

    /// Whether one of `other` is among them.
    pub fn has(self, other: Types) -> bool {
        self.0 & other.0 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are not in `other`.
    pub fn without(self, other: Types) -> Types {
        Types(self.0 & !other.0)
    }
}

impl BitOr for Types {
    type Output = Types;

    fn bitor(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }
}

impl BitAnd for Types {
    type Output = Types;

    fn bitand(self, other: Types) -> Types {
        Types(self.0 & other.0)
    }
}
