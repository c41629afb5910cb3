//! The named live pointer of a project, and what its sources do by it.

use crate::deployment;
use crate::ids::{EnvironmentName, KeyId, OwnerId, ProjectId};
use crate::schedule::Schedule;
use crate::task::Trace;
use crate::unknown::Unknown;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sources of one environment that may be on a schedule: a change of all of them is one transaction.
pub const SCHEDULES_LIMIT: usize = 25;
/// Longest window of a scheduled run, in seconds; also what a run has whose schedule says nothing.
pub const TTL_LIMIT: u32 = 86_400;
/// Versions that an environment remembers to go back to.
const EARLIER_LIMIT: usize = 20;

/// Which version of a project is live in an environment, and when its sources run there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Who owns it.
    pub owner: OwnerId,
    /// The project whose version it names.
    pub project: ProjectId,
    /// Its name, unique within the project.
    pub name: EnvironmentName,
    /// The live pointer.
    pub version: u32,
    /// The versions that rolling back leads to, the next one last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<u32>,
    /// Whether its sources run.
    pub state: State,
    /// By the component that runs start at.
    #[serde(default)]
    pub sources: BTreeMap<String, Source>,
    /// Moves with every change, and never back: what a concurrent change is noticed by.
    pub revision: u64,
    /// When a version was deployed to it for the first time.
    pub created_at: Timestamp,
    /// The key that deployed to it first.
    pub created_by: KeyId,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The key that changed it last.
    pub updated_by: KeyId,
    /// When the pointer was last set.
    pub deployed_at: Timestamp,
    /// What a newer version wrote, written back as it was.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What an environment does when it is due. A source's own deployment says whether it is errored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its sources run when they are due or called.
    Enabled,
    /// Nothing runs.
    Disabled,
    /// Nothing runs and no list shows it, until a version is deployed to it again.
    Removed,
}

/// How one source runs in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// When the source is due.
    pub schedule: Schedule,
    /// Its ticks are skipped until it is resumed.
    #[serde(default)]
    pub paused: bool,
    /// How long one run may take, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
    /// How much of its objects' way is shown; `None` is [`Trace::Full`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// A flag of RocketRide's clients: kept and shown, and without effect here.
    #[serde(default)]
    pub debug: bool,
}

impl Default for Source {
    fn default() -> Source {
        Source { schedule: Schedule::MANUAL, paused: false, ttl_seconds: None, trace: None, debug: false }
    }
}

impl Environment {
    /// An environment that a version is about to be deployed to for the first time.
    pub fn new(owner: OwnerId, project: ProjectId, name: EnvironmentName, key: KeyId, now: Timestamp) -> Environment {
        Environment {
            owner,
            project,
            name,
            version: 0,
            earlier: Vec::new(),
            state: State::Enabled,
            sources: BTreeMap::new(),
            revision: 0,
            created_at: now,
            created_by: key.clone(),
            updated_at: now,
            updated_by: key,
            deployed_at: now,
            unknown: Unknown::default(),
        }
    }

    /// Moves the pointer. A disabled environment stays so; a removed one is there again, with its schedules.
    pub fn deploy(&mut self, version: u32, now: Timestamp) {
        if self.version != 0 && self.version != version {
            let surplus = (self.earlier.len() + 1).saturating_sub(EARLIER_LIMIT);
            self.earlier.drain(..surplus);
            self.earlier.push(self.version);
        }
        self.point_at(version, now);
    }

    /// Moves the pointer back to the version that was live before, or to a given one. Rolling back again goes on from
    /// there, further back. `false` if no earlier version is known.
    pub fn roll_back(&mut self, to: Option<u32>, now: Timestamp) -> bool {
        let Some(version) = to.or(self.earlier.last().copied()) else { return false };
        match self.earlier.iter().rposition(|earlier| *earlier == version) {
            Some(place) => {
                self.earlier.truncate(place);
                self.point_at(version, now);
            }
            None => self.deploy(version, now),
        }
        true
    }

    fn point_at(&mut self, version: u32, now: Timestamp) {
        self.version = version;
        self.deployed_at = now;
        if self.state == State::Removed {
            self.state = State::Enabled;
        }
    }

    /// How a source runs; what was never set has its default.
    pub fn source(&self, id: &str) -> Source {
        self.sources.get(id).cloned().unwrap_or_default()
    }

    /// Changes how a source runs. One with defaults alone is forgotten.
    pub fn set_source(&mut self, id: &str, source: Source) {
        match source == Source::default() {
            true => drop(self.sources.remove(id)),
            false => drop(self.sources.insert(id.to_owned(), source)),
        }
    }

    /// What the deployment of a source does, if the live version has such a source.
    pub fn source_state(&self, id: &str, now: Timestamp) -> deployment::State {
        let paused = |note: &str| deployment::State::Paused { note: Some(note.to_owned()), at: now };
        match self.state {
            State::Removed => deployment::State::Removed { at: now },
            State::Disabled => paused("the environment is disabled"),
            State::Enabled if self.source(id).paused => paused("the schedule of the source is paused"),
            State::Enabled => deployment::State::Active,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_versions(versions: impl IntoIterator<Item = u32>) -> Environment {
        let (owner, project) = (OwnerId::parse("ana").unwrap(), ProjectId::parse("p").unwrap());
        let name = EnvironmentName::parse("staging").unwrap();
        let key = KeyId::parse("01KAFYZB6N3T8V5M2R9C4W7XQD").unwrap();
        let mut environment = Environment::new(owner, project, name, key, Timestamp::UNIX_EPOCH);
        versions.into_iter().for_each(|version| environment.deploy(version, Timestamp::UNIX_EPOCH));
        environment
    }

    #[test]
    fn rolling_back_twice_goes_back_twice() {
        let mut environment = with_versions([1, 2, 2, 5]);

        let mut versions = Vec::new();
        while environment.roll_back(None, Timestamp::UNIX_EPOCH) {
            versions.push(environment.version);
        }

        assert_eq!(versions, [2, 1]);
    }

    #[test]
    fn rolling_back_to_a_version_passes_over_those_that_were_live_after_it() {
        let mut environment = with_versions([1, 2, 3, 4]);

        environment.roll_back(Some(2), Timestamp::UNIX_EPOCH);

        assert_eq!((environment.version, &environment.earlier), (2, &vec![1]));
    }

    #[test]
    fn rolling_back_to_a_version_that_was_never_live_there_can_be_undone() {
        let mut environment = with_versions([2, 3]);

        environment.roll_back(Some(1), Timestamp::UNIX_EPOCH);
        assert_eq!(environment.version, 1);
        environment.roll_back(None, Timestamp::UNIX_EPOCH);

        assert_eq!(environment.version, 3);
    }

    #[test]
    fn only_so_many_earlier_versions_are_remembered() {
        let environment = with_versions(1..=100);

        assert_eq!(environment.earlier, (80..100).collect::<Vec<_>>());
    }
}
