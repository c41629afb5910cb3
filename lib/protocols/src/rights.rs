//! What a function may do.
//!
//! `cargo xtask generate` makes the roles of `template.yaml` and `docs/permissions.md` from it, and
//! `tests/plane/permissions` proves by running that every function needs what it may do and nothing else.
//!
//! What follows from a right is not written down: its variables, the use of the key for encryption at rest, that the
//! function behind a queue may take the queue's messages, and that each reads the table's layout when it starts.

/// A right of a function. Several partitions in one right may be written in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Get(&'static [Partition]),
    List(&'static [Partition]),
    GetMany(&'static [Partition]),
    Put(&'static [Partition]),
    PutMany(&'static [Partition]),
    Update(&'static [Partition]),
    Delete(&'static [Partition]),
    /// A condition on an item that a transaction leaves as it is.
    Check(&'static [Partition]),
    /// The index of an owner's runs.
    FindRuns,
    RingTicks,
    RingRuns,
    RingRollouts,
    RingSockets,
    /// Create, update, delete and list the schedules of deployments.
    FollowTimers,
    /// Delete and list them.
    DeleteTimers,
    /// Encrypt secrets.
    Seal,
    /// Decrypt secrets.
    Open,
    /// Send frames on WebSockets.
    SendFrames,
    CloseSockets,
}

/// Partitions of the table, by how their keys begin (`lib/store/src/keys.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    Keys,
    Owners,
    Hooks,
    Projects,
    Rollouts,
    OwnerList,
    Strangers,
    Connections,
    Watchers,
    Layout,
}

impl Partition {
    /// The pattern of its keys, as policies write it.
    pub const fn pattern(self) -> &'static str {
        match self {
            Partition::Keys => "K#*",
            Partition::Owners => "O#*",
            Partition::Hooks => "H#*",
            Partition::Projects => "P#*",
            Partition::Rollouts => "R#*",
            Partition::OwnerList => "OWNERS",
            Partition::Strangers => "STRANGERS",
            Partition::Connections => "C#*",
            Partition::Watchers => "W#*",
            Partition::Layout => "META",
        }
    }
}

impl Right {
    /// The action of DynamoDB that it allows, and for which partitions.
    pub const fn of_table(self) -> Option<(&'static str, &'static [Partition])> {
        match self {
            Right::Get(partitions) => Some(("GetItem", partitions)),
            Right::List(partitions) => Some(("Query", partitions)),
            Right::GetMany(partitions) => Some(("BatchGetItem", partitions)),
            Right::Put(partitions) => Some(("PutItem", partitions)),
            Right::PutMany(partitions) => Some(("BatchWriteItem", partitions)),
            Right::Update(partitions) => Some(("UpdateItem", partitions)),
            Right::Delete(partitions) => Some(("DeleteItem", partitions)),
            Right::Check(partitions) => Some(("ConditionCheckItem", partitions)),
            _ => None,
        }
    }
}
