//! What a process does, one call of the table after the other. Between two of them anything may happen, its own death included.

use crate::table::{self, Rejected, Table};
use crate::walk::{Project, World, Wrong, at, deployment, run_id};
use std::hash::{Hash, Hasher};
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::{Deployment, State as Live};
use tidemill_model::ids::RunId;
use tidemill_model::lease::Lease;
use tidemill_model::run::{Claim, Run, State, Trigger};
use tidemill_model::tick::{Decision, Due, Outcome, Situation, Skipped, Stretch, decide};

/// What a caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Add,
    Pause,
    Resume,
    /// A new version, once a minute that has just become due has its run.
    Update,
    /// Version 1 is live again.
    Rollback,
    Remove,
    Hook,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bell {
    Tick,
    Run(RunId),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    Answer(Bell),
    Do(Operation),
    /// A deploy first gives what is due its outcome.
    TickBefore(Operation),
}

/// A claim that is decided and not written: the run as it was read and as it will be, and the head with the revision that was read,
/// where the right to run moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Claiming {
    before: Run,
    after: Run,
    head: Option<(u64, Box<Deployment>)>,
}

/// What a process knows at this moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    Begun,
    Head(Deployment),
    Decided {
        before: u64,
        decision: Box<Decision>,
    },
    Found(Run),
    FoundWithHead(Box<Run>, Deployment),
    Claiming(Box<Claiming>),
    Working(Run),
    /// Committed, and not rung yet.
    Ringing(RunId),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// `None` while it waits for a bell, and for a caller that has its answer.
    pub job: Option<Job>,
    pub phase: Phase,
}

impl Hash for Process {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.job.hash(state);
        std::mem::discriminant(&self.phase).hash(state);
        match &self.phase {
            Phase::Begun => {}
            Phase::Head(head) => table::head(head).hash(state),
            Phase::Decided { before, decision } => {
                (before, table::head(&decision.deployment), decision.run.as_ref().map(table::run)).hash(state);
                format!("{:?}", decision.stretches).hash(state);
            }
            Phase::Found(run) | Phase::Working(run) => table::run(run).hash(state),
            Phase::FoundWithHead(run, head) => (table::run(run), table::head(head)).hash(state),
            Phase::Claiming(claiming) => {
                let Claiming { before, after, head } = claiming.as_ref();
                let head = head.as_ref().map(|(revision, head)| (*revision, table::head(head)));
                (table::run(before), table::run(after), head).hash(state);
            }
            Phase::Ringing(run) => run.hash(state),
        }
    }
}

impl Process {
    pub fn idle() -> Process {
        Process { job: None, phase: Phase::Begun }
    }

    pub fn at_work(job: Job) -> Process {
        Process { job: Some(job), phase: Phase::Begun }
    }
}

/// One process about to make its next call.
pub struct Turn<'a> {
    pub project: &'a Project,
    pub world: &'a mut World,
    pub number: usize,
}

impl Turn<'_> {
    pub fn next(mut self) {
        let Process { job, phase } = self.world.processes[self.number].clone();
        match job.expect("it has something to do") {
            Job::Answer(Bell::Tick) => self.tick(phase, None),
            Job::TickBefore(operation) => self.tick(phase, Some(operation)),
            Job::Answer(Bell::Run(run)) => self.execute(phase, &run),
            Job::Do(operation) => self.change(phase, operation),
        }
    }

    fn go_on(&mut self, phase: Phase) {
        self.world.processes[self.number].phase = phase;
    }

    fn done(&mut self) {
        self.world.processes[self.number] = Process::idle();
    }

    fn table(&mut self) -> &mut Table {
        &mut self.world.table
    }

    fn ring(&mut self, run: RunId) {
        self.world.ring(Bell::Run(run));
        match self.world.processes[self.number].job {
            Some(Job::TickBefore(operation)) => {
                self.world.processes[self.number] = Process::at_work(Job::Do(operation))
            }
            _ => self.done(),
        }
    }

    fn tick(&mut self, phase: Phase, then: Option<Operation>) {
        let now = self.world.now();
        match phase {
            Phase::Begun => {
                let head = self.table().head.clone().filter(|head| head.due_schedule().is_some());
                match head.filter(|head| Due::of(&Calendar::default(), head, now).is_some()) {
                    Some(head) => self.go_on(Phase::Head(head)),
                    None => self.nothing_due(then),
                }
            }
            Phase::Head(head) => {
                let due = Due::of(&Calendar::default(), &head, now).expect("it was due");
                let going = self.table().going(&head);
                let calendar = Calendar::default();
                let run = run_id(self.world.table.rows.len());
                let (deployment, going) = (&head, going.as_ref());
                let situation = Situation { calendar: &calendar, deployment, due, has_live_key: true, going, run, now };
                let decision = Box::new(decide(&situation));
                self.go_on(Phase::Decided { before: head.revision, decision });
            }
            Phase::Decided { before, decision } => match self.write_tick(before, *decision) {
                Ok(Some(run)) => self.go_on(Phase::Ringing(run)),
                Ok(None) => self.nothing_due(then),
                Err(Rejected) => self.go_on(Phase::Begun),
            },
            Phase::Ringing(run) => self.ring(run),
            other => unreachable!("{other:?} of a tick"),
        }
    }

    fn nothing_due(&mut self, then: Option<Operation>) {
        match then {
            Some(operation) => self.world.processes[self.number] = Process::at_work(Job::Do(operation)),
            None => self.done(),
        }
    }

    fn write_tick(&mut self, before: u64, decision: Decision) -> Result<Option<RunId>, Rejected> {
        if self.project.wrong != Some(Wrong::TickWithoutRevision) {
            self.table().is_at(before)?;
        }
        let Decision { deployment, stretches, run } = decision;
        let made = run.as_ref().map(|run| run.id.clone());
        let table = self.table();
        if let Some(run) = run {
            table.add_run(run);
        }
        table.head = Some(deployment);
        table.stretches.extend(stretches);
        Ok(made)
    }

    fn execute(&mut self, phase: Phase, id: &RunId) {
        match phase {
            Phase::Begun => match self.world.claimable(id) {
                Some(run) => self.go_on(Phase::Found(run)),
                None => self.done(),
            },
            Phase::Found(run) => {
                let head = self.table().head.clone().expect("a run has a head");
                self.go_on(Phase::FoundWithHead(Box::new(run), head));
            }
            Phase::FoundWithHead(run, head) => self.claim(*run, &head),
            Phase::Claiming(claiming) => match self.write_claim(*claiming) {
                Ok(run) => self.go_on(Phase::Working(run)),
                Err(Rejected) => self.ring_again(id),
            },
            other => unreachable!("{other:?} of a run"),
        }
    }

    fn claim(&mut self, run: Run, head: &Deployment) {
        let turn = head.is_turn_of(&run.id);
        let going = if turn { None } else { self.table().going(head) };
        let lease = lease(run.epoch + 1, run.objects);
        match run.claim(Some(head), going.as_ref(), lease, self.world.now()) {
            Claim::Granted { run: after, deployment } => {
                let head = deployment.map(|after| (head.revision, after));
                self.go_on(Phase::Claiming(Box::new(Claiming { before: run, after: *after, head })));
            }
            Claim::Behind(_) => self.ring_again(&run.id),
            Claim::Held => self.done(),
            Claim::Removed => {
                let cancelled = run.with_cancel_request(self.world.now());
                if self.table().has(&run, None).is_ok() {
                    self.table().put_run(cancelled);
                }
                self.done();
            }
        }
    }

    fn ring_again(&mut self, run: &RunId) {
        self.world.ring(Bell::Run(run.clone()));
        self.done();
    }

    fn write_claim(&mut self, Claiming { before, after, head }: Claiming) -> Result<Run, Rejected> {
        let wrong = self.project.wrong;
        self.table().has(&before, wrong)?;
        if let Some((revision, head)) = head {
            if wrong != Some(Wrong::TurnWithoutRevision) {
                self.table().is_at(revision)?;
            }
            self.table().head = Some(*head);
        }
        self.table().put_run(after.clone());
        Ok(after)
    }

    /// A worker saves what a step made and renews its lease, or ends the run.
    pub fn save(&mut self, ends: bool) {
        let Phase::Working(before) = self.world.processes[self.number].phase.clone() else { unreachable!("it works") };
        let wrong = self.project.wrong;
        if self.table().has(&before, wrong).is_err() {
            return self.done();
        }
        let renewed = lease(before.epoch, before.objects + 1);
        let mut after = Run { objects: before.objects + 1, lease: Some(renewed), ..before };
        if ends {
            (after.state, after.lease) = (State::Succeeded, None);
        }
        self.table().put_run(after.clone());
        match ends {
            true => self.done(),
            false => self.go_on(Phase::Working(after)),
        }
    }

    fn change(&mut self, phase: Phase, operation: Operation) {
        match phase {
            Phase::Begun => match (self.table().head.clone(), operation) {
                (None, Operation::Add) => self.go_on(Phase::Head(deployment(self.world.now()))),
                (Some(head), _) if operation != Operation::Add && !head.state.is_removed() => {
                    self.go_on(Phase::Head(head));
                }
                // There is nothing to change, or a project of this name already.
                _ => self.done(),
            },
            Phase::Head(head) => match self.write_change(&head, operation) {
                Ok(Some(run)) => self.go_on(Phase::Ringing(run)),
                Ok(None) => self.done(),
                Err(Rejected) => self.go_on(Phase::Begun),
            },
            Phase::Ringing(run) => self.ring(run),
            other => unreachable!("{other:?} of a change"),
        }
    }

    fn write_change(&mut self, before: &Deployment, operation: Operation) -> Result<Option<RunId>, Rejected> {
        let wrong = self.project.wrong;
        if operation == Operation::Add {
            if self.table().head.is_some() && wrong != Some(Wrong::AddWithoutAbsence) {
                return Ok(None);
            }
            self.table().add_version(before.version);
            self.table().head = Some(before.clone());
            return Ok(None);
        }
        if wrong != Some(Wrong::ChangeWithoutRevision) {
            self.table().is_at(before.revision)?;
        }
        match operation {
            Operation::Hook => Ok(self.write_hook(before)),
            _ => {
                self.write_settled(before, operation);
                Ok(None)
            }
        }
    }

    fn write_hook(&mut self, before: &Deployment) -> Option<RunId> {
        let run = run_id(self.world.table.rows.len());
        if before.state != Live::Active {
            return None;
        }
        let waiting = before.waiting.clone().into_iter().chain([run.clone()]).min();
        self.world.table.add_run(Run::of(before, run.clone(), Trigger::Webhook, self.world.now()));
        self.world.table.head = Some(Deployment { waiting, revision: before.revision + 1, ..before.clone() });
        Some(run)
    }

    fn write_settled(&mut self, before: &Deployment, operation: Operation) {
        let now = self.world.now();
        let mut after = Deployment { revision: before.revision + 1, ..before.clone() };
        let moved = match operation {
            Operation::Pause => after.pause(None, at(0)).is_ok(),
            Operation::Resume => after.resume(before.key.clone()).is_ok(),
            Operation::Remove => after.remove(at(0)).is_ok(),
            Operation::Update => {
                after.last_version += 1;
                after.version = after.last_version;
                true
            }
            Operation::Rollback => {
                after.version = 1;
                true
            }
            Operation::Add | Operation::Hook => unreachable!("they settle nothing"),
        };
        assert!(moved, "{operation:?} of {:?}", before.state);
        let skipped = if before.state == Live::Active { Skipped::Changed } else { Skipped::Paused };
        if let Some(Due { first, last }) = Due::of(&Calendar::default(), before, now) {
            let (schedule, outcome) = (before.schedule.clone(), Outcome::Skipped(skipped));
            self.table().stretches.push(Stretch { first, last, schedule, outcome });
        }
        after.ticked_until = before.ticked_until.max(now);
        if operation == Operation::Update {
            self.table().add_version(after.version);
        }
        self.table().head = Some(after);
        if operation == Operation::Resume {
            self.world.ring_released();
        }
    }
}

/// A lease of a run, like none that it had before. Of two workers that want the same one, one writes it.
fn lease(epoch: u64, objects: u64) -> Lease {
    Lease { holder: "a worker".to_owned(), until: at(1_000_000 + (100 * epoch + objects) as i64) }
}
