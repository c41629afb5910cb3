//! Checks what must hold of the caller's deployments, as far as it can be read off the table and the timers. With
//! `fix`, repairs towards the table what can be repaired.

use crate::bell::Bell;
use crate::deployment::change::due;
use crate::error::Error;
use crate::plane::sweep::{ActiveRollouts, TICK_PATIENCE, active_rollouts, forgotten, free, has_its_timers, ring_for};
use crate::plane::{Call, Plane, due_schedule};
use crate::run::open::OpenRuns;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tidemill_model::deployment::Deployment;
use tidemill_model::key::Scope;
use tidemill_model::run::State;
use tidemill_model::task;
use tidemill_model::version::sha256;
use tidemill_store::PAGE_LIMIT;

/// How long work may be left lying before it is a finding.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// Ticks of a deployment that are looked at, the newest ones.
const TICKS: usize = 1000;

pub struct Doctor;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[serde(default)]
    pub fix: bool,
}

#[derive(Debug, Serialize)]
pub struct Output {
    pub healthy: bool,
    pub deployments: usize,
    pub findings: Vec<Finding>,
}

/// Something that does not hold.
#[derive(Debug, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub project: String,
    pub message: String,
    pub fixed: bool,
}

impl crate::Operation for Doctor {
    const NAME: &'static str = "plane_doctor";
    const SCOPE: Scope = Scope::Admin;
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let mut output = Output { healthy: true, deployments: 0, findings: Vec::new() };
        let mut timers = plane.timers.all().await?;
        let mut cursor = None;
        loop {
            let page = plane.store.deployments(&call.owner, cursor.as_ref(), PAGE_LIMIT).await?;
            for deployment in &page.items {
                output.deployments += 1;
                let has_timers = has_its_timers(plane, deployment, &mut timers);
                let examination = Examination { plane, deployment, now: plane.now(), fix: input.fix };
                output.findings.extend(examination.findings(has_timers).await?);
            }
            cursor = page.next;
            if cursor.is_none() {
                output.findings.extend(open_tasks(plane, call).await?);
                output.findings.extend(rollouts(plane, call, input.fix).await?);
                output.healthy = output.findings.iter().all(|finding| finding.fixed);
                return Ok(output);
            }
        }
    }
}

/// Open tasks are counted, because their number has a limit.
async fn open_tasks(plane: &Plane, call: &Call) -> Result<Option<Finding>, Error> {
    // In this order: a task that is opened in between is a finding of neither.
    let counted = plane.store.open_tasks(&call.owner).await? as usize;
    let tasks = plane.store.tasks(&call.owner).await?;
    let open = tasks.iter().filter(|task| task.state != task::State::Ended).count();
    let again = plane.store.open_tasks(&call.owner).await? as usize;
    let message = format!("{open} tasks are open, {counted} are counted");
    let differs = counted == again && counted != open;
    Ok(differs.then(|| Finding { check: "tasks", project: String::new(), message, fixed: false }))
}

/// Whoever holds a group's slot goes on, and somebody works on it.
async fn rollouts(plane: &Plane, call: &Call, fix: bool) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    let finding = |message| Finding { check: "rollout", project: String::new(), message, fixed: fix };
    let ActiveRollouts { rollouts, lost } = active_rollouts(plane, &call.owner).await?;
    for group in &lost {
        if fix {
            free(plane, group).await?;
        }
        findings.push(finding(format!("the rollout that holds the slot of the group `{}` is not there", group.name)));
    }
    for rollout in rollouts {
        if rollout.state.is_final() {
            // The slot is freed in the transaction that ends it; this one was read in between.
            continue;
        }
        if forgotten(plane, &rollout, PATIENCE).is_none() {
            continue;
        }
        if fix {
            ring_for(plane, &rollout).await?;
        }
        findings.push(finding(format!("nobody works on rollout `{}` of the group `{}`", rollout.id, rollout.group)));
    }
    Ok(findings)
}

struct Examination<'a> {
    plane: &'a Plane,
    deployment: &'a Deployment,
    now: Timestamp,
    fix: bool,
}

impl Examination<'_> {
    async fn findings(&self, has_timers: bool) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        if !has_timers {
            findings.push(self.timer().await);
        }
        self.due_ticks(&mut findings).await;
        self.open_runs(&mut findings).await?;
        // The versions of an environment's source are those of its project.
        if self.deployment.id.is_project() {
            self.versions(&mut findings).await?;
        }
        self.ticks(&mut findings).await?;
        Ok(findings)
    }

    fn finding(&self, check: &'static str, message: String, fixed: bool) -> Finding {
        let id = &self.deployment.id;
        let message = match id.environment_source() {
            Some(of) => format!("environment `{}`, source `{}`: {message}", of.environment, of.source),
            None => message,
        };
        Finding { check, project: id.project().to_string(), message, fixed }
    }

    /// An active deployment on a schedule has exactly its timers.
    async fn timer(&self) -> Finding {
        if self.fix {
            self.plane.follow(self.deployment).await;
        }
        self.finding("timer", "its timer is not as its schedule says".into(), self.fix)
    }

    /// A due tick is taken soon.
    async fn due_ticks(&self, findings: &mut Vec<Finding>) {
        if due_schedule(self.deployment).is_none() {
            return;
        }
        let Some((first, _)) = due(self.plane, self.deployment, self.now - TICK_PATIENCE) else { return };
        if self.fix {
            let bell = Bell::Tick { owner: self.deployment.owner.clone(), deployment: self.deployment.id.clone() };
            self.plane.ring_again(bell).await;
        }
        findings.push(self.finding("tick", format!("the tick of {first} was not taken"), self.fix));
    }

    /// At most one run is going, and somebody works on every open one.
    async fn open_runs(&self, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let runs = OpenRuns::of(self.plane, self.deployment, self.now).await?;
        let going = runs.open.iter().filter(|run| run.state == State::Running).count();
        if going > 1 {
            findings.push(self.finding("overlap", format!("{going} runs are going at once"), false));
        }
        for run in runs.forgotten(self.plane, self.now, PATIENCE) {
            if self.fix {
                let bell =
                    Bell::Run { owner: run.owner.clone(), deployment: run.deployment.clone(), run: run.id.clone() };
                self.plane.ring_again(bell).await;
            }
            let message = format!("nobody works on run {}, which is {}", run.id, run.state);
            findings.push(self.finding("run", message, self.fix));
        }
        Ok(())
    }

    /// Versions are numbered 1, 2, 3, …, and each has the pipeline that its sha256 names.
    async fn versions(&self, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let (owner, project) = (&self.deployment.owner, self.deployment.id.project());
        let mut expected = self.deployment.last_version;
        let mut cursor = None;
        loop {
            let page = self.plane.store.versions(owner, project, cursor.as_ref(), PAGE_LIMIT).await?;
            for version in page.items {
                if version.number != expected {
                    let message = format!("version {expected} is missing, {} comes next", version.number);
                    findings.push(self.finding("version", message, false));
                }
                expected = version.number.saturating_sub(1);
                let body = self.plane.store.body(owner, project, &version.sha256).await?;
                if body.is_none_or(|body| sha256(&body) != version.sha256) {
                    let message = format!("the pipeline of version {} is not what was stored", version.number);
                    findings.push(self.finding("version", message, false));
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        if expected != 0 {
            findings.push(self.finding("version", format!("version {expected} is missing"), false));
        }
        Ok(())
    }

    /// No tick has two outcomes.
    async fn ticks(&self, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let ticks = crate::tick::list::ticks(self.plane, self.deployment, None, None, TICKS).await?;
        let mut counts: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for tick in ticks {
            *counts.entry(tick.at).or_default() += 1;
        }
        for (at, count) in counts.into_iter().filter(|(_, count)| *count > 1) {
            findings.push(self.finding("ledger", format!("the tick of {at} has {count} outcomes"), false));
        }
        Ok(())
    }
}
