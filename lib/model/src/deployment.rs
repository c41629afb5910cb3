//! The record that keeps one project live, and the legal moves of its state.

use crate::deployment_id::DeploymentId;
use crate::ids::{GroupName, HookId, KeyId, OwnerId, RunId};
use crate::invalid::Invalid;
use crate::run::Run;
use crate::schedule::Schedule;
use crate::unknown::Unknown;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest note, in characters.
pub const NOTE_LIMIT: usize = 512;

/// One project's deployment. A removed one stays as a tombstone: it keeps the version numbers, the hook's URL and the
/// revision, so that nothing is reused when the project is deployed again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Who owns it.
    pub owner: OwnerId,
    /// The project, or the source of an environment, that it keeps live.
    #[serde(rename = "project")]
    pub id: DeploymentId,
    /// Whether its due minutes start runs.
    pub state: State,
    /// When it is due.
    pub schedule: Schedule,
    /// Every due tick up to this instant has its outcome in the ledger.
    pub ticked_until: Timestamp,
    /// Due minutes up to this instant may have run before their time, because the plane's clock was ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_ahead: Option<Timestamp>,
    /// The version that new runs take.
    pub version: u32,
    /// The newest version number ever given.
    pub last_version: u32,
    /// The plan that new runs take instead of the version's own: that of an environment's source, compiled for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_sha256: Option<String>,
    /// The id in its webhook's URL.
    pub hook: HookId,
    /// The key that it was deployed with; scheduled runs stop when it is revoked.
    pub key: KeyId,
    /// Catch-up window, attempts and time limit of its runs.
    pub settings: Settings,
    /// The group that it is a member of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// Moves with every change, and never back: what a concurrent change is noticed by.
    pub revision: u64,
    /// The run that last held the right to run. It is going unless its own record says that it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<RunId>,
    /// The run of `current` as its maker took it. It counts as long as that run has no record of its own: one that is through at once is
    /// written only at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Box<Run>>,
    /// The oldest run that may wait for its turn. `None` says that no run but `current` is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<RunId>,
    /// The run of `current`, once a look found that it ended a while ago: no later look reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<RunId>,
    /// When it was deployed; after a removal, when it was deployed again.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// What a newer version wrote, written back as it was.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What a deployment does when it is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// Each due minute starts a run.
    Active,
    /// Ticks are skipped until it is resumed.
    Paused {
        /// What the caller gave as the reason, up to [`NOTE_LIMIT`] characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// Since when.
        at: Timestamp,
    },
    /// The plane itself stopped it; resuming takes the caller's key.
    Errored {
        /// Why the plane stopped it.
        reason: String,
        /// Since when.
        at: Timestamp,
    },
    /// A tombstone: nothing runs, and no list shows it.
    Removed {
        /// Since when.
        at: Timestamp,
    },
}

/// A state without its instant and reason, as answers and audit rows show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// [`State::Active`].
    Active,
    /// [`State::Paused`].
    Paused,
    /// [`State::Errored`].
    Errored,
    /// [`State::Removed`].
    Removed,
}

impl State {
    /// The state without its details.
    pub fn status(&self) -> Status {
        match self {
            State::Active => Status::Active,
            State::Paused { .. } => Status::Paused,
            State::Errored { .. } => Status::Errored,
            State::Removed { .. } => Status::Removed,
        }
    }

    /// Whether it is a tombstone.
    pub fn is_removed(&self) -> bool {
        matches!(self, State::Removed { .. })
    }

    /// Whether runs that have not begun wait until it is resumed.
    pub fn holds_runs(&self) -> bool {
        matches!(self, State::Paused { .. } | State::Errored { .. })
    }

    /// Whether the plane has stopped it.
    pub fn is_errored(&self) -> bool {
        matches!(self, State::Errored { .. })
    }
}

/// What an owner may set per deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How late a tick may be and still run, in seconds of the schedule. 0 to 86,400; 0 is none.
    pub catch_up_seconds: u32,
    /// How often a run is tried before it fails for good. 1 to 10.
    pub max_attempts: u32,
    /// How long one attempt may take, in seconds. 1 to 86,400.
    pub timeout_seconds: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { catch_up_seconds: 3600, max_attempts: 3, timeout_seconds: 300 }
    }
}

impl Settings {
    /// Checks every range.
    pub fn checked(self) -> Result<Settings, Invalid> {
        range("catchUpSeconds", self.catch_up_seconds, 0, 86_400)?;
        range("maxAttempts", self.max_attempts, 1, 10)?;
        range("timeoutSeconds", self.timeout_seconds, 1, 86_400)?;
        Ok(self)
    }

    /// How late a tick may be and still run; zero is not at all.
    pub fn catch_up(&self) -> Duration {
        Duration::from_secs(self.catch_up_seconds.into())
    }

    /// How long one attempt may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.into())
    }
}

fn range(field: &'static str, value: u32, least: u32, most: u32) -> Result<(), Invalid> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Invalid::new(
        field,
        format!("`{field}` is {value}, outside {least} to {most}"),
        format!("give a number from {least} to {most}"),
    ))
}

/// Checks the note that goes with a pause.
pub fn checked_note(note: Option<String>) -> Result<Option<String>, Invalid> {
    match note.as_deref().map(|text| text.chars().count()) {
        Some(count) if count > NOTE_LIMIT => Err(Invalid::new(
            "note",
            format!("the note has {count} characters, the limit is {NOTE_LIMIT}"),
            format!("shorten it to {NOTE_LIMIT} characters"),
        )),
        _ => Ok(note.filter(|text| !text.is_empty())),
    }
}

impl Deployment {
    /// Pauses it; pausing a paused one changes only the note.
    pub fn pause(&mut self, note: Option<String>, now: Timestamp) -> Result<(), Refused> {
        match &self.state {
            State::Active => self.state = State::Paused { note, at: now },
            State::Paused { at, .. } => self.state = State::Paused { note, at: *at },
            State::Errored { .. } => return Err(Refused::Errored),
            State::Removed { .. } => return Err(Refused::Removed),
        }
        Ok(())
    }

    /// Makes it active again under the caller's key; resuming an active one changes nothing.
    pub fn resume(&mut self, key: KeyId) -> Result<(), Refused> {
        if self.state.is_removed() {
            return Err(Refused::Removed);
        }
        if self.state != State::Active {
            self.state = State::Active;
            self.key = key;
        }
        Ok(())
    }

    /// Puts it under the key of a deploy; whether that changed anything. An errored one is active again, a paused one stays so.
    pub fn take_over(&mut self, key: KeyId) -> bool {
        let is_errored = self.state.is_errored();
        if is_errored {
            self.state = State::Active;
        }
        let has_other_key = self.key != key;
        self.key = key;
        is_errored || has_other_key
    }

    /// Stops it because its key no longer authenticates.
    pub fn fail(&mut self, reason: impl Into<String>, now: Timestamp) -> Result<(), Refused> {
        if self.state.is_removed() {
            return Err(Refused::Removed);
        }
        self.state = State::Errored { reason: reason.into(), at: now };
        Ok(())
    }

    /// Removes it; the tombstone keeps what must not be reused.
    pub fn remove(&mut self, now: Timestamp) -> Result<(), Refused> {
        if self.state.is_removed() {
            return Err(Refused::Removed);
        }
        self.state = State::Removed { at: now };
        Ok(())
    }
}

/// Why a move is not legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The deployment is removed; only deploying it again brings it back.
    Removed,
    /// The deployment is errored: it can be resumed, not paused.
    Errored,
}
