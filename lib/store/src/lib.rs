//! The table: every read, every conditional write, every transaction. The table is the truth, and this is the only
//! crate that knows how it is laid out ([`keys`] shows all of it) or that it is DynamoDB.
//!
//! Reads are strongly consistent, but for the one index. A change of several items is a [`Transaction`]; [`Part`] names
//! the condition that did not hold. Each entity has a file of its own.

mod audit;
mod batch;
mod body;
mod checkpoint;
mod conflict;
mod cursor;
mod deployment;
mod environment;
mod error;
mod expiry;
mod held;
mod hook;
mod idempotency;
mod index;
mod item;
mod key;
pub mod keys;
mod layout;
mod lease;
mod log;
mod notice;
mod page;
mod rollout;
mod run;
mod secret;
mod seen;
mod socket;
mod sweep;
mod table;
mod task;
mod tick;
mod trace;
mod transaction;
mod update;
mod version;
mod watching;

pub use audit::Audit;
pub use body::BODY_LIMIT;
pub use checkpoint::Checkpoint;
pub use cursor::Cursor;
pub use environment::EnvironmentAudit;
pub use error::{DAMAGED, DISK_FULL, Error, Part};
pub use held::Held;
pub use hook::Hook;
pub use idempotency::Answered;
pub use layout::{LAYOUT, Layout, LayoutChange};
pub use notice::Notice;
pub use page::{PAGE_LIMIT, Page};
pub use run::{Claim, Period};
pub use secret::StoredSecret;
pub use seen::SeenKey;
pub use socket::{Login, Socket, Stranger, Watcher};
pub use task::{Arriving, Credential, Ended, Served};
pub use transaction::{TRANSACTION_LIMIT, Transaction};
pub use watching::Watching;

use aws_sdk_dynamodb::Client;
use conflict::Jitter;

/// The plane's one table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    jitter: Jitter,
}

impl Store {
    pub fn new(client: Client, table: impl Into<String>) -> Store {
        Store { client, table: table.into(), jitter: Jitter::of_chance() }
    }

    /// The same store, whose waits for a busy table follow from a seed.
    pub fn with_jitter_of(self, seed: u64) -> Store {
        Store { jitter: Jitter::of(seed), ..self }
    }
}
