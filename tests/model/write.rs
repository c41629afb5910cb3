//! The conditional writes: what a worker decided by what it read is written if the table is still so.

use crate::records::{self, CALENDAR, due, instant};
use crate::table::{Head, Row, Stand, Status};
use crate::worker::{Change, LEASE, Work};
use crate::{Mistake, RUNS, Rules, State};
use tidemill_model::run::{Claim, Ended, Next};
use tidemill_model::tick::{Due, Situation, decide};

impl State {
    /// Writes what a worker decided by what it read, if the conditions hold.
    pub fn write(&mut self, rules: &Rules, worker: usize) {
        match std::mem::replace(&mut self.workers[worker], Work::Idle) {
            Work::Idle => {}
            Work::Tick { head, going } => self.write_tick(rules, &head, going, None),
            Work::Claim { head, going, run, row } => self.write_claim(rules, worker, (&head, going), run, &row),
            Work::Running { run, row } => self.save(rules, worker, run, &row),
            Work::Change { change: Change::Promote, live_revision, head } => self.promote(rules, live_revision, &head),
            Work::Change { change: Change::Run, head, .. } => self.make_run(rules, &head),
            Work::Change { change, head, .. } => self.write_change(rules, change, &head),
        }
        self.table.sort();
    }

    /// Writes a tick's outcome, and takes the run that it makes in the same write.
    pub fn write_tick_here(&mut self, rules: &Rules, worker: usize) {
        let work = std::mem::replace(&mut self.workers[worker], Work::Idle);
        if let Work::Tick { head, going } = work {
            self.write_tick(rules, &head, going, Some(worker));
        }
        self.table.sort();
    }

    /// Replaces the head on condition of its revision.
    fn replace_head(&mut self, rules: &Rules, read: &Head, after: Head) -> bool {
        let is_as_read = self.table.head.revision == read.revision || rules.makes(Mistake::RevisionIgnored);
        if is_as_read {
            self.table.head = after;
        }
        is_as_read
    }

    fn write_tick(&mut self, rules: &Rules, read: &Head, going: Option<u8>, taker: Option<usize>) {
        let deployment = records::deployment(read);
        let Some(due) = Due::of(&CALENDAR, &deployment, instant(self.now)) else { return };
        let going = going.map(records::run_id);
        let run = records::run_id(self.table.runs.len() as u8);
        let (calendar, now) = (&*CALENDAR, instant(self.now));
        let situation =
            Situation { calendar, deployment: &deployment, due, has_live_key: true, going: going.as_ref(), run, now };
        let mut decision = decide(&situation);
        let before = self.table.head.clone();
        if let (Some(worker), Some(run)) = (taker, &decision.run) {
            let lease = records::lease(worker as u8, self.now + LEASE);
            decision.deployment = decision.deployment.carrying(run.taken(lease, now));
        }
        if !self.replace_head(rules, read, records::head(&decision.deployment)) {
            return;
        }
        for stretch in decision.stretches {
            self.table.skipped.extend(records::minute(stretch.first)..=records::minute(stretch.last));
        }
        if let Some(run) = decision.run {
            let row = records::row(&run);
            if before.status != Status::Active || row.version != before.version {
                self.wrong = Some("I7");
            }
            let carried = self.table.head.carried.clone().filter(|_| taker.is_some());
            self.table.runs.push(carried.is_none().then_some(row));
            if let (Some(worker), Some(row)) = (taker, carried) {
                self.workers[worker] = Work::Running { run: self.table.runs.len() as u8 - 1, row };
            }
        }
    }

    fn write_claim(&mut self, rules: &Rules, worker: usize, (head, going): (&Head, Option<u8>), run: u8, read: &Row) {
        let going = going.filter(|going| *going != run && !rules.makes(Mistake::TurnIgnored)).map(records::run_id);
        let deployment = records::deployment(head);
        let lease = records::lease(worker as u8, self.now + LEASE);
        let (row, holder) =
            match records::run(run, read).claim(Some(&deployment), going.as_ref(), lease, instant(self.now)) {
                Claim::Granted { run, deployment } => (records::row(&run), deployment),
                Claim::Removed => {
                    return self
                        .replace_row(
                            rules,
                            run,
                            read,
                            Row { stand: Stand::Cancelled, is_carried: false, ..read.clone() },
                        )
                        .unwrap_or(());
                }
                Claim::Behind(_) | Claim::Held => return,
            };
        let is_turn_kept =
            holder.is_none() || self.table.head.revision == head.revision || rules.makes(Mistake::RevisionIgnored);
        let taken = self.table.run(run).and_then(|found| found.lease);
        if !is_turn_kept || self.replace_row(rules, run, read, row.clone()).is_none() {
            return;
        }
        if let Some(holder) = holder {
            self.table.head = records::head(&holder);
        }
        if taken.is_some_and(|(_, until)| until > self.now) {
            self.wrong = Some("I2: a lease that holds was taken");
        }
        self.workers[worker] = Work::Running { run, row };
    }

    /// Replaces a run on condition that it is as it was read: its epoch and state, and its lease. One that was carried must still have no
    /// record.
    fn replace_row(&mut self, rules: &Rules, run: u8, read: &Row, after: Row) -> Option<()> {
        let found = &mut self.table.runs[usize::from(run)];
        if read.is_carried && (found.is_none() || rules.makes(Mistake::RecordIgnored)) {
            if found.as_ref().is_some_and(|found| !found.is_open() && after != *found) {
                self.wrong = Some("I11");
            }
            *found = Some(after);
            return Some(());
        }
        let found = found.as_mut().filter(|_| !read.is_carried)?;
        let is_claim = after.epoch > read.epoch;
        let same_epoch = (found.epoch, found.stand) == (read.epoch, read.stand) || rules.makes(Mistake::EpochIgnored);
        let same_lease = found.lease == read.lease
            || rules.makes(Mistake::EpochIgnored)
            || is_claim && rules.makes(Mistake::RenewalIgnored);
        if !same_epoch || !same_lease {
            return None;
        }
        if !found.is_open() && after != *found {
            self.wrong = Some("I11");
        }
        *found = after;
        Some(())
    }

    fn save(&mut self, rules: &Rules, worker: usize, run: u8, held: &Row) {
        let row = Row { lease: Some((worker as u8, self.now + LEASE)), is_carried: false, ..held.clone() };
        self.is_mine(worker, run, rules, held);
        if self.replace_row(rules, run, held, row.clone()).is_some() {
            self.workers[worker] = Work::Running { run, row };
        }
    }

    pub fn end_run(&mut self, rules: &Rules, worker: usize) {
        let Work::Running { run, row } = std::mem::replace(&mut self.workers[worker], Work::Idle) else { return };
        let Next::Final(..) = records::run(run, &row).after(Ended::Succeeded, 0.0) else { return };
        self.is_mine(worker, run, rules, &row);
        // Where the lease was lost nothing is written.
        let _ = self.replace_row(
            rules,
            run,
            &row,
            Row { stand: Stand::Succeeded, lease: None, is_carried: false, ..row.clone() },
        );
    }

    /// A write of a holder that goes through is one of the last holder.
    fn is_mine(&mut self, worker: usize, run: u8, rules: &Rules, held: &Row) {
        let Some(found) = self.table.run(run) else { return };
        let is_overwritten = held.is_carried && rules.makes(Mistake::RecordIgnored);
        let goes_through = *found == *held || rules.makes(Mistake::EpochIgnored) || is_overwritten;
        let is_mine = found.epoch == held.epoch && found.lease.is_some_and(|(holder, _)| usize::from(holder) == worker);
        if goes_through && !is_mine {
            self.wrong = Some("I2: written under a lease that was lost");
        }
    }

    /// Pauses, resumes, updates, removes or adds, and accounts for the minutes that were due until then.
    fn write_change(&mut self, rules: &Rules, change: Change, read: &Head) {
        let mut deployment = records::deployment(read);
        let key = deployment.key.clone();
        let is_done = match change {
            Change::Pause => deployment.pause(None, instant(self.now)).is_ok(),
            Change::Resume => deployment.resume(key).is_ok(),
            Change::Remove => deployment.remove(instant(self.now)).is_ok(),
            Change::Update => read.status != Status::Removed,
            Change::Add => read.status == Status::Removed,
            Change::Promote | Change::Run => false,
        };
        let mut after = Head { revision: read.revision + 1, ..records::head(&deployment) };
        if !is_done || after.status == read.status && matches!(change, Change::Pause | Change::Resume) {
            return;
        }
        let settled = if read.status == Status::Removed { Vec::new() } else { due(read, self.now) };
        let gone = if change == Change::Add { (read.ticked_until + 1..=self.now).collect() } else { Vec::new() };
        after.ticked_until = read.ticked_until.max(self.now);
        if rules.makes(Mistake::CarriedForgotten) {
            after.carried = None;
        }
        if matches!(change, Change::Update | Change::Add) {
            after.status = if change == Change::Add { Status::Active } else { after.status };
            after.last_version =
                if rules.makes(Mistake::VersionReused) && change == Change::Add { 1 } else { read.last_version + 1 };
            after.version = after.last_version;
        }
        let version = (after.last_version != read.last_version || change == Change::Add).then_some(after.last_version);
        if !self.replace_head(rules, read, after) {
            return;
        }
        self.table.gone.extend::<Vec<u8>>(gone);
        if !rules.makes(Mistake::TicksForgotten) {
            self.table.skipped.extend(settled);
        }
        self.table.versions.extend(version);
    }

    /// Makes a run that a caller asked for. It waits for its turn.
    fn make_run(&mut self, rules: &Rules, read: &Head) {
        if read.status != Status::Active || self.table.runs.len() >= RUNS {
            return;
        }
        let after = Head { revision: read.revision + 1, ..read.clone() };
        if self.replace_head(rules, read, after) {
            self.table.runs.push(Some(Row {
                tick: None,
                version: read.version,
                stand: Stand::Queued,
                epoch: 0,
                lease: None,
                is_carried: false,
            }));
        }
    }

    /// Moves an environment's pointer to the newest version, on condition of the environment's revision.
    fn promote(&mut self, rules: &Rules, read: u8, head: &Head) {
        if self.table.live_revision == read || rules.makes(Mistake::PointerUnconditional) {
            self.table.live = head.last_version;
            self.table.live_revision = read + 1;
            self.table.promotions += 1;
        }
    }
}
