//! Finds the runs of a project, or of all projects of a key, as they start.

use crate::api::client::{self, Client, Path};
use crate::api::pages::{List, PAGE_LIMIT};
use crate::api::retry;
use crate::api::views::Run;
use crate::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use tidemill_model::ids::RunId;

/// How long after its making a run may appear in the list: the plane's index lags behind.
const LAG: SignedDuration = SignedDuration::from_secs(60);
/// Pages that one look reads, a thousand runs.
const PAGES: usize = 10;

/// The runs of a project, or of all, of which some were seen.
pub struct NewRuns<'a> {
    client: &'a Client,
    project: Option<&'a str>,
    seen: Seen,
}

/// Which runs were seen.
#[derive(Default)]
struct Seen {
    /// Runs up to this one are not new: when the following began, there were too many to read them all.
    first: Option<String>,
    /// Where the next look begins.
    since: Option<Timestamp>,
    /// Ids of runs since then.
    ids: BTreeSet<String>,
}

/// What one look found.
pub struct Found {
    /// In the order in which they were made.
    pub runs: Vec<Run>,
    /// There were more.
    pub is_cut: bool,
}

impl<'a> NewRuns<'a> {
    /// Takes the runs that are there for seen. Gives those of them that have not ended, and the newest run if it has.
    pub async fn begin(
        client: &'a Client,
        project: Option<&'a str>,
    ) -> Result<(NewRuns<'a>, Found, Option<Run>), Failure> {
        let mut new = NewRuns { client, project, seen: Seen::default() };
        let list: List = client.get(&new.path()).await?.read()?;
        let mut found = Found { runs: read(&list)?, is_cut: false };
        if list.next.is_some() {
            // The list goes on with earlier runs, of which some may be going.
            new.seen.first = found.runs.last().map(|run| run.id.clone());
            for state in ["running", "queued"] {
                let more = new.pages(&new.path().with("state", state), |_| {}, Reading::All).await?;
                found.runs.extend(more.runs);
                found.is_cut |= more.is_cut;
            }
        }
        found.runs.sort_by(|one, other| one.id.cmp(&other.id));
        found.runs.dedup_by(|one, other| one.id == other.id);
        new.seen.remember(&found.runs);
        let newest = found.runs.pop_if(|run| run.is_final());
        found.runs.retain(|run| !run.is_final());
        Ok((new, found, newest))
    }

    /// The runs that were made since the last look. A plane that does not answer is waited for, after `report`.
    pub async fn look(&mut self, report: impl Fn(&Failure)) -> Result<Found, Failure> {
        let path = self.path().with_some("since", self.seen.since);
        let mut found = self.pages(&path, report, Reading::New).await?;
        found.runs.reverse();
        self.seen.remember(&found.runs);
        Ok(found)
    }

    /// Runs of a list, newest first.
    async fn pages(&self, path: &Path, report: impl Fn(&Failure), reading: Reading) -> Result<Found, Failure> {
        let mut found = Found { runs: Vec::new(), is_cut: false };
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let path = path.clone().with_some("cursor", cursor.as_ref());
            let list: List = retry::read(self.client, &path, &report).await?.read()?;
            let before = found.runs.len();
            found.runs.extend(read(&list)?.into_iter().filter(|run| reading == Reading::All || self.seen.is_new(run)));
            cursor = list.next;
            if cursor.is_none() || (reading == Reading::New && found.runs.len() == before) {
                return Ok(found);
            }
        }
        Ok(Found { is_cut: true, ..found })
    }

    fn path(&self) -> Path {
        let path = Path::new(&["runs"]).with("limit", PAGE_LIMIT);
        match self.project {
            Some(project) => path.in_project(project),
            None => path,
        }
    }
}

impl Seen {
    fn is_new(&self, run: &Run) -> bool {
        !self.ids.contains(&run.id) && self.first.as_ref().is_none_or(|first| run.id > *first)
    }

    fn remember(&mut self, runs: &[Run]) {
        self.ids.extend(runs.iter().map(|run| run.id.clone()));
        let Some(newest) = runs.iter().map(|run| run.queued_at).max() else { return };
        let since = newest.checked_sub(LAG).unwrap_or(Timestamp::MIN);
        if self.since.is_none_or(|before| before < since) {
            self.since = Some(since);
            // Ids begin with the time of their making.
            self.ids = self.ids.split_off(RunId::new(since, 0).as_str());
        }
    }
}

/// What is wanted of a list.
#[derive(Clone, Copy, PartialEq)]
enum Reading {
    All,
    /// Pages until one has nothing new.
    New,
}

fn read(list: &List) -> Result<Vec<Run>, Failure> {
    list.items.iter().map(|run| client::read(run.get())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(second: i64, number: u128) -> Run {
        let at = Timestamp::from_second(second).unwrap();
        let run = json!({"id": RunId::new(at, number).as_str(), "project": "p", "version": 1, "trigger": "manual",
            "state": "queued", "attempt": 1, "queuedAt": at.to_string(), "objects": 0});
        serde_json::from_value(run).unwrap()
    }

    #[test]
    fn a_run_that_appears_late_is_new_and_one_that_was_seen_is_not() {
        let mut seen = Seen::default();

        seen.remember(&[run(1_000, 1), run(1_030, 1)]);

        assert!(!seen.is_new(&run(1_000, 1)) && !seen.is_new(&run(1_030, 1)));
        assert!(seen.is_new(&run(1_000, 2)) && seen.is_new(&run(1_031, 1)));
        assert_eq!(seen.since, Some(Timestamp::from_second(970).unwrap()), "the next look finds it");
    }

    #[test]
    fn what_no_look_finds_again_is_forgotten() {
        let mut seen = Seen::default();
        for second in 0..1_000 {
            seen.remember(&[run(second, 1)]);
        }

        assert_eq!(seen.ids.len(), 61);
        assert!(!seen.is_new(&run(939, 1)), "it is where the next look begins");
    }

    #[test]
    fn runs_before_the_first_that_was_read_are_not_new() {
        let mut seen = Seen { first: Some(run(1_000, 5).id), ..Seen::default() };
        seen.remember(&[run(1_000, 5), run(1_001, 1)]);

        assert!(!seen.is_new(&run(1_000, 4)) && seen.is_new(&run(1_000, 6)));
    }
}
