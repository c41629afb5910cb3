//! Runs.

use crate::cursor::Cursor;
use crate::error::{Error, Part};
use crate::held::Held;
use crate::item::{Item, expiring, number, text, to_item};
use crate::keys::RUN_OWNER;
use crate::lease::as_read;
use crate::page::{Order, Page, Range, sort_of};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{OwnerId, RunId};
use tidemill_model::run::Run;
use tidemill_model::task::{End, Task};

impl Store {
    pub async fn run(&self, owner: &OwnerId, deployment: &DeploymentId, run: &RunId) -> Result<Option<Run>, Error> {
        self.get(&keys::run(owner, deployment, run)).await
    }

    /// Reads one run of each of some deployments, in their order; what is not there is left out.
    pub async fn runs_of(&self, owner: &OwnerId, wanted: &[(DeploymentId, RunId)]) -> Result<Vec<Run>, Error> {
        let keys = wanted.iter().map(|(deployment, run)| keys::run(owner, deployment, run).attributes());
        let items = self.batch(keys.collect()).await?;
        items.into_iter().map(crate::item::from_item).collect()
    }

    /// Finds a run of an owner without knowing its project, by the index: a run of the last moment may be absent.
    pub async fn run_anywhere(&self, owner: &OwnerId, run: &RunId) -> Result<Option<Run>, Error> {
        let sort = format!("{}{run}", keys::RUNS);
        let (found, _) = self.index(owner.as_str(), &sort, &sort, 1).await?;
        let Some(key) = found.into_iter().next() else { return Ok(None) };
        let answer =
            self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true).send().await?;
        answer.item.map(crate::item::from_item).transpose()
    }

    /// A page of a project's runs, newest first, made between two instants.
    pub async fn runs(
        &self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        period: &Period,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Run>, Error> {
        let (from, to) = period.sorts();
        let partition = keys::deployment_partition(owner, deployment);
        self.page(Range { partition, from, to, order: Order::Descending }, cursor, limit).await
    }

    /// A page of all runs of an owner, newest first, by the index: a run of the last moment may be absent.
    pub async fn runs_of_owner(
        &self,
        owner: &OwnerId,
        period: &Period,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Run>, Error> {
        let (from, mut to) = period.sorts();
        if let Some(Cursor(sort)) = cursor {
            // The index's start key needs the table's partition, which a cursor does not name: start just below.
            to = to.min(just_below(sort));
        }
        let (found, more) = self.index(owner.as_str(), &from, &to, limit).await?;
        let next = match (more, found.last()) {
            (true, Some(last)) => Some(Cursor(sort_of(last)?)),
            _ => None,
        };
        let items = self.batch(found).await?;
        Ok(Page { items: items.into_iter().map(crate::item::from_item).collect::<Result<_, _>>()?, next })
    }
}

/// Runs that were made from one instant, included, to another, left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl Period {
    /// Whether a run was made in it.
    pub fn has(&self, run: &RunId) -> bool {
        let made = run.made_at();
        self.since.is_none_or(|since| since <= made) && self.until.is_none_or(|until| made < until)
    }

    fn sorts(&self) -> (String, String) {
        let bound = |at| format!("{}{}", keys::RUNS, RunId::new(at, 0));
        let from = self.since.map_or_else(|| keys::RUNS.to_owned(), bound);
        let to = self.until.map_or_else(|| format!("{}\u{10FFFF}", keys::RUNS), |at| just_below(&bound(at)));
        (from, to)
    }
}

/// The greatest text that sorts below a run's sort key and above every other one below it: ids are digits and letters.
fn just_below(sort: &str) -> String {
    let mut bytes = sort.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        // A made-up cursor may end in anything.
        *last = last.saturating_sub(1);
    }
    let mut below = String::from_utf8_lossy(&bytes).into_owned();
    below.push('~');
    below
}

/// The claim of a run, with what is written beside it.
#[must_use = "nothing is claimed before `commit`"]
pub struct Claim<'a> {
    transaction: Transaction<'a>,
    run: Run,
}

impl Claim<'_> {
    /// Claims the run, or nothing: see [`Transaction::commit`].
    pub async fn commit(self) -> Result<Held<Run>, Error> {
        self.transaction.commit().await?;
        Ok(Held::by_claim(self.run))
    }
}

impl<'a> Transaction<'a> {
    pub fn new_run(self, run: &Run) -> Result<Self, Error> {
        let item = run_item(run)?;
        Ok(self.put(Part::Run, item, Condition::absent()))
    }

    /// Claims the run that a head of this transaction carries.
    pub fn with_carried(self, run: Run) -> Claim<'a> {
        debug_assert!(run.is_carried && run.epoch == 1 && run.lease.is_some(), "its maker claimed it");
        Claim { transaction: self, run }
    }

    /// Claims a run: `after` has its lease and its next epoch.
    pub fn claim_run(self, before: &Run, after: Run) -> Result<Claim<'a>, Error> {
        debug_assert!(after.epoch > before.epoch, "a claim moves the epoch");
        Ok(Claim { transaction: self.replace_run(before, &after)?, run: after })
    }

    /// Writes a run over what its holder last read or wrote.
    pub fn run(self, before: &Held<Run>, after: &Run) -> Result<Self, Error> {
        self.replace_run(before, after)
    }

    /// Asks a run to end, whether or not a worker holds it. Gives the run as it is then.
    pub fn cancel_run(self, before: &Run, now: Timestamp) -> Result<(Self, Run), Error> {
        let after = before.with_cancel_request(now);
        Ok((self.replace_run(before, &after)?, after))
    }

    /// Ends the run of a task that waits for objects, which no worker holds.
    pub fn end_run_of_task(self, before: &Run, task: &Task, outcome: End, now: Timestamp) -> Result<Self, Error> {
        self.replace_run(before, &before.with_end_of_task(task, outcome, now))
    }

    /// Replaces the run that was read as `before`, unless it was claimed, saved or changed since: its epoch, state and
    /// attempt, its lease and whether it is to be cancelled must be as they were. One that was carried must have no record still.
    fn replace_run(self, before: &Run, after: &Run) -> Result<Self, Error> {
        debug_assert!(!after.is_carried, "it has a record by this");
        if before.is_carried {
            return self.new_run(after);
        }
        let cancel = match before.cancel_requested_at {
            None => "attribute_not_exists(cancel_requested_at)",
            Some(_) => "attribute_exists(cancel_requested_at)",
        };
        let lease = as_read(before.lease.as_ref());
        let unchanged =
            format!("epoch = :epoch AND #state = :state AND attempt = :attempt AND {cancel} AND {}", lease.when);
        let mut unchanged = Condition::when(unchanged)
            .name("#state", "state")
            .value(":epoch", number(before.epoch))
            .value(":state", text(before.state.as_str()))
            .value(":attempt", number(before.attempt));
        unchanged.names.extend(lease.names);
        unchanged.values.extend(lease.values);
        let item = run_item(after)?;
        Ok(self.put(Part::Run, item, unchanged))
    }
}

fn run_item(run: &Run) -> Result<Item, Error> {
    let mut item = to_item(&keys::run(&run.owner, &run.deployment, &run.id), run)?;
    item.insert(RUN_OWNER.into(), AttributeValue::S(run.owner.as_str().to_owned()));
    Ok(match run.expires() {
        Some(at) => expiring(item, at),
        None => item,
    })
}
