//! Checks what must hold of the caller's deployments, as far as it can be read off the table and the timers. With
//! `fix`, repairs towards the table what can be repaired.

use crate::deployment::ahead::bring_back;
use crate::error::Error;
use crate::plane::sweep::rollouts::ActiveRollouts;
use crate::plane::sweep::{has_its_timers, look, repair};
use crate::plane::{Call, Plane};
use crate::run::open::OpenRuns;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tidemill_engine::SHORTEST_MASKED;
use tidemill_model::deployment::Deployment;
use tidemill_model::key::Scope;
use tidemill_model::run::State;
use tidemill_model::sweep::{self, Look, Patience, of_deployment, of_rollout};
use tidemill_model::task;
use tidemill_model::tick::{Outcome, Skipped, Tick};
use tidemill_model::version::sha256;
use tidemill_store::{PAGE_LIMIT, Period};

/// Ticks of a deployment that are looked at, the newest ones.
const TICKS: usize = 1000;
/// Runs that failed in a row, or due minutes that were skipped in a row, before they are a finding.
const IN_A_ROW: usize = 3;
/// Runs that are looked at for the last that ended: a few may still be open.
const RUNS: usize = 10;

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
    /// Those that are live, the sources of environments too.
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
    const SCOPE: Option<Scope> = Some(Scope::Admin);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let mut output = Output { healthy: true, deployments: 0, findings: Vec::new() };
        let mut timers = plane.timers.all().await?;
        // The plane works in spite of them.
        let mut warnings = Vec::new();
        let mut cursor = None;
        loop {
            let page = plane.store.deployments(&call.owner, cursor.as_ref(), PAGE_LIMIT).await?;
            for deployment in &page.items {
                output.deployments += usize::from(!deployment.state.is_removed());
                let has_timers = has_its_timers(plane, deployment, &mut timers);
                let look = look(plane, Patience::Usual);
                let examination = Examination { plane, deployment, look, fix: input.fix };
                output.findings.extend(examination.findings(has_timers, &mut warnings).await?);
            }
            cursor = page.next;
            if cursor.is_none() {
                output.findings.extend(open_tasks(plane, call).await?);
                output.findings.extend(rollouts(plane, call, input.fix).await?);
                output.healthy = output.findings.iter().all(|finding| finding.fixed);
                output.findings.extend(warnings);
                output.findings.extend(short_secrets(plane, call).await?);
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

/// Every secret is long enough to be masked in logs and results.
async fn short_secrets(plane: &Plane, call: &Call) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    let mut cursor = None;
    loop {
        let page = plane.store.secrets(&call.owner, cursor.as_ref(), PAGE_LIMIT).await?;
        for secret in page.items.iter().filter(|secret| secret.is_short) {
            let name = &secret.name;
            let message = format!(
                "secret `{name}` has fewer than {SHORTEST_MASKED} characters, so logs and results do not mask it: set a longer one"
            );
            findings.push(Finding { check: "secret", project: String::new(), message, fixed: false });
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(findings);
        }
    }
}

/// A group's active rollout is there, and a worker holds it.
async fn rollouts(plane: &Plane, call: &Call, fix: bool) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    let finding = |message| Finding { check: "rollout", project: String::new(), message, fixed: fix };
    let ActiveRollouts { rollouts, without } = ActiveRollouts::of(plane, &call.owner).await?;
    for group in &without {
        if fix {
            repair::group(plane, group).await?;
        }
        findings.push(finding(format!("the active rollout of the group `{}` is not there", group.name)));
    }
    for rollout in rollouts {
        let Some(found) = of_rollout(&look(plane, Patience::Usual), &rollout) else { continue };
        if fix {
            repair::ring_for_rollout(plane, &rollout).await?;
        }
        let (id, group) = (&rollout.id, &rollout.group);
        findings.push(finding(format!("no worker holds rollout `{id}` of the group `{group}`: {found}")));
    }
    Ok(findings)
}

struct Examination<'a> {
    plane: &'a Plane,
    deployment: &'a Deployment,
    look: Look<'a>,
    fix: bool,
}

impl Examination<'_> {
    /// What does not hold; beside it what its owner should look at.
    async fn findings(&self, has_timers: bool, warnings: &mut Vec<Finding>) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        self.clock(&mut findings).await?;
        self.timers_and_due_ticks(has_timers, &mut findings).await;
        self.open_runs(&mut findings).await?;
        // The versions of an environment's source are those of its project.
        if self.deployment.id.is_project() {
            self.versions(&mut findings).await?;
        }
        let ticks = crate::tick::list::ticks(self.plane, self.deployment, None, None, TICKS).await?;
        if !self.deployment.state.is_removed() {
            warnings.extend(self.failures().await?);
            warnings.extend(self.skipped(&ticks));
        }
        self.ticks(ticks, &mut findings);
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

    /// No minute that is still to come is ticked off.
    async fn clock(&self, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let Deployment { owner, id, .. } = self.deployment;
        let Some(until) = self.deployment.is_ahead_of(self.look.now) else { return Ok(()) };
        if self.fix {
            bring_back(self.plane, owner, id).await?;
        }
        let message = format!("no minute before {until} starts a run, because the plane's clock was ahead for a while");
        findings.push(self.finding("clock", message, self.fix));
        Ok(())
    }

    /// An active deployment on a schedule has exactly its timers, and each due tick is taken soon.
    async fn timers_and_due_ticks(&self, has_timers: bool, findings: &mut Vec<Finding>) {
        for found in of_deployment(&self.look, &self.plane.calendar, self.deployment, has_timers) {
            if self.fix {
                repair::deployment(self.plane, self.deployment, found).await;
            }
            findings.push(match found {
                sweep::Finding::TickDue { first } => {
                    self.finding("tick", format!("the tick of {first} was not taken"), self.fix)
                }
                _ => self.finding("timer", "its timer is not as its schedule says".into(), self.fix),
            });
        }
    }

    /// At most one run is going, and a worker holds every open one or will.
    async fn open_runs(&self, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let runs = OpenRuns::of(self.plane, self.deployment, self.look.now).await?;
        let going = runs.open.iter().filter(|run| run.state == State::Running).count();
        if going > 1 {
            findings.push(self.finding("overlap", format!("{going} runs are going at once"), false));
        }
        for (run, found) in runs.findings(self.look) {
            if self.fix {
                repair::run(self.plane, run, found).await;
            }
            let message = format!("no worker holds run {}, which is {}: {found}", run.id, run.state);
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

    /// The last runs did not all fail.
    async fn failures(&self) -> Result<Option<Finding>, Error> {
        let Deployment { owner, id, current, .. } = self.deployment;
        if current.is_none() {
            return Ok(None);
        }
        let page = self.plane.store.runs(owner, id, &Period::default(), None, RUNS).await?;
        let ended: Vec<_> = page.items.iter().filter(|run| run.state.is_final()).take(IN_A_ROW).collect();
        let Some(newest) = ended.first().filter(|_| ended.len() == IN_A_ROW) else { return Ok(None) };
        if !ended.iter().all(|run| run.state.is_failure()) {
            return Ok(None);
        }
        let why = newest.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let message = format!("its last {IN_A_ROW} runs failed; run {}{why}", newest.id);
        Ok(Some(self.finding("failing", message, false)))
    }

    /// The last due minutes were not all skipped, but for those that a caller paused or changed.
    fn skipped(&self, ticks: &[Tick]) -> Option<Finding> {
        let last = ticks.get(..IN_A_ROW)?;
        let reason = |tick: &Tick| match &tick.outcome {
            Outcome::Skipped(Skipped::Overlap { run }) => Some(format!("run {run} was still going")),
            Outcome::Skipped(Skipped::Errored) => Some("its key was revoked or has expired".to_owned()),
            _ => None,
        };
        let reasons: Vec<String> = last.iter().map_while(reason).collect();
        let newest = reasons.first().filter(|_| reasons.len() == IN_A_ROW)?;
        Some(self.finding("skipping", format!("its last {IN_A_ROW} due minutes were skipped: {newest}"), false))
    }

    /// No tick has two outcomes.
    fn ticks(&self, ticks: Vec<Tick>, findings: &mut Vec<Finding>) {
        let mut counts: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for tick in ticks {
            *counts.entry(tick.at).or_default() += 1;
        }
        for (at, count) in counts.into_iter().filter(|(_, count)| *count > 1) {
            findings.push(self.finding("ledger", format!("the tick of {at} has {count} outcomes"), false));
        }
    }
}
