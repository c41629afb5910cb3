//! Changing an environment: read it and its sources, decide, and write all of it on condition that none has moved on;
//! else decide again.
//!
//! A source of the project in the environment runs as a deployment of its own: its schedule, its state and
//! its version are written here and nowhere else, in the transaction that moves the environment. So a tick that was due
//! before the change runs what held before it, or is settled as skipped.

use crate::deployment::change::{Retry, audit, fresh_record, settle, touched, with_change};
use crate::deployment::definition::{Definition, changed_since, stored_pipeline};
use crate::deployment::tick;
use crate::error::{Code, Detail, Error};
use crate::hint::Noun;
use crate::idempotency::{Answer, Idempotency};
use crate::plane::{Call, Plane};
use crate::run::open::ring_released;
use crate::secret::unset::NamedSecrets;
use crate::version::addition::Addition;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use tidemill_model::audit::Operation;
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::deployment_id::{DeploymentId, EnvironmentSource};
use tidemill_model::environment::{self, Environment, SCHEDULES_LIMIT, TTL_LIMIT};
use tidemill_model::ids::{EnvironmentName, ProjectId, RunId, nameable};
use tidemill_model::pipeline::Pipeline;
use tidemill_model::tick::Stretch;
use tidemill_model::version::{Version, sha256};
use tidemill_store::{Audit, EnvironmentAudit, Part};

/// The input of operations that name nothing but an environment of a project.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfEnvironment {
    pub project: ProjectId,
    pub environment: EnvironmentName,
}

/// A change that is to be made.
pub struct Change<'a> {
    pub plane: &'a Plane,
    pub call: &'a Call,
    pub of: &'a OfEnvironment,
    pub operation: Operation,
    /// The only source that it concerns.
    pub source: Option<&'a str>,
    pub incoming: Incoming<'a>,
}

/// Where the version comes from that a change deploys.
#[derive(Clone, Copy)]
pub enum Incoming<'a> {
    /// It deploys none, or one that the caller names.
    Nothing,
    /// It becomes the project's next version in the same transaction.
    Addition(&'a Addition),
    /// It is live in another environment.
    LiveIn(&'a OfEnvironment),
}

/// An environment with the deployments of its sources and its live version.
pub struct Changed {
    pub environment: Environment,
    pub sources: Vec<Deployment>,
    pub version: Version,
    /// What was live before.
    pub from_version: Option<u32>,
    pub warnings: Vec<Detail>,
}

/// The answer that a change remembers for retries of its request.
#[derive(Clone, Copy)]
struct Memory<'a> {
    once: &'a Idempotency,
    answer: &'a (dyn Fn(&Changed) -> Result<Box<RawValue>, Error> + Sync),
}

/// What one attempt at a change came to.
enum RoundOutcome {
    Made(Box<Changed>),
    /// The table has moved on since it was read.
    Rejected(tidemill_store::Error),
}

/// Reads an environment that is not removed.
pub async fn existing(plane: &Plane, call: &Call, of: &OfEnvironment) -> Result<Environment, Error> {
    let found = plane.store.environment(&call.owner, &of.project, &of.environment).await?;
    there(of, found)
}

/// What was found, unless that is nothing or removed.
pub fn there(of: &OfEnvironment, found: Option<Environment>) -> Result<Environment, Error> {
    found.filter(|environment| environment.state != environment::State::Removed).ok_or_else(|| {
        let message = format!("project `{}` is not deployed to environment `{}`", of.project, of.environment);
        Error::missing(Noun::Environment, message).hint("deploy a version to it first")
    })
}

/// Refuses a change that expected the environment at another revision.
pub fn at_revision(before: Option<&Environment>, expected: Option<u64>) -> Result<(), Error> {
    let found = before.map_or(0, |before| before.revision);
    match expected {
        Some(expected) if expected != found => Err(changed_since("environment", expected, found)),
        _ => Ok(()),
    }
}

/// The environment with its pointer moved to a version; a new one if there was none.
pub fn deployed(
    call: &Call,
    of: &OfEnvironment,
    before: Option<Environment>,
    version: u32,
) -> Result<Environment, Error> {
    let mut after = match before {
        Some(before) => before,
        None => {
            let OfEnvironment { project, environment } = of.clone();
            nameable("environment", environment.as_str())?;
            Environment::new(call.owner.clone(), project, environment, call.key.clone(), call.now)
        }
    };
    after.deploy(version, call.now);
    Ok(after)
}

/// Reads a version that must be there.
pub async fn version(plane: &Plane, call: &Call, project: &ProjectId, number: u32) -> Result<Version, Error> {
    let found = plane.store.version(&call.owner, project, number).await?;
    found.ok_or_else(|| Error::no_version(project, number))
}

impl<'a> Change<'a> {
    /// A change that concerns every source, and deploys no version or one that the caller names.
    pub fn new(plane: &'a Plane, call: &'a Call, of: &'a OfEnvironment, operation: Operation) -> Change<'a> {
        Change { plane, call, of, operation, source: None, incoming: Incoming::Nothing }
    }

    /// Gives an environment that is there another state.
    pub async fn make_state(&self, state: environment::State) -> Result<Changed, Error> {
        self.make(|_, before, _| Ok(Environment { state, ..there(self.of, before)? })).await
    }

    /// Makes the change. `edit` gives the environment as it is to be, from the call as of the round, what was there, and
    /// the number of the incoming version, or 0.
    pub async fn make(
        &self,
        mut edit: impl FnMut(&Call, Option<Environment>, u32) -> Result<Environment, Error>,
    ) -> Result<Changed, Error> {
        self.rounds(None, &mut edit).await?.now().ok_or_else(|| Error::internal("an answer of no idempotency key"))
    }

    /// Makes the change once per idempotency key; `request` is what distinguishes requests.
    pub async fn make_once<T: Serialize>(
        &self,
        request: &(impl Serialize + Sync),
        answer: impl Fn(&Changed) -> T + Sync,
        mut edit: impl FnMut(&Call, Option<Environment>, u32) -> Result<Environment, Error>,
    ) -> Result<Answer<T>, Error> {
        let once = Idempotency::of(self.call, self.operation.as_str(), request)?;
        if let Some(once) = &once
            && let Some(earlier) = once.earlier(self.plane, self.call).await?
        {
            return Ok(Answer::Before(earlier));
        }
        let in_json = |changed: &Changed| serde_json::value::to_raw_value(&answer(changed)).map_err(Error::internal);
        let memory = once.as_ref().map(|once| Memory { once, answer: &in_json });
        match self.rounds(memory, &mut edit).await? {
            Answer::Now(changed) => Ok(Answer::Now(answer(&changed))),
            Answer::Before(earlier) => Ok(Answer::Before(earlier)),
        }
    }

    async fn rounds(
        &self,
        memory: Option<Memory<'_>>,
        edit: &mut impl FnMut(&Call, Option<Environment>, u32) -> Result<Environment, Error>,
    ) -> Result<Answer<Changed>, Error> {
        let Change { plane, of, .. } = self;
        let mut retry = Retry::new();
        loop {
            let before = plane.store.environment(&self.call.owner, &of.project, &of.environment).await?;
            let written = before.as_ref().map_or(self.call.now, |before| before.updated_at);
            let round = Change { call: &self.call.after(plane, written), operation: self.operation.clone(), ..*self };
            let error = match round.round(before, memory, edit).await? {
                RoundOutcome::Made(changed) => return Ok(Answer::Now(*changed)),
                RoundOutcome::Rejected(error) => error,
            };
            match memory {
                Some(Memory { once, .. }) if error.rejects(Part::Idempotency) => {
                    let earlier = once.earlier(plane, self.call).await?;
                    return earlier.map(Answer::Before).ok_or_else(|| error.into());
                }
                _ if error.rejects(Part::Environment) => retry.again(self.plane, error, Part::Environment).await?,
                _ => retry.again(self.plane, error, Part::Deployment).await?,
            }
        }
    }

    async fn round(
        &self,
        before: Option<Environment>,
        memory: Option<Memory<'_>>,
        edit: &mut impl FnMut(&Call, Option<Environment>, u32) -> Result<Environment, Error>,
    ) -> Result<RoundOutcome, Error> {
        let Change { plane, call, of, .. } = self;
        let (added, incoming) = match self.incoming {
            Incoming::Nothing => (None, 0),
            Incoming::Addition(addition) => {
                let added = addition.number(plane, call).await?;
                let number = added.version.number;
                (Some(added), number)
            }
            Incoming::LiveIn(other) => (None, existing(plane, call, other).await?.version),
        };
        let sources = plane.store.sources_of_environment(&call.owner, &of.project, &of.environment).await?;
        let mut after = edit(call, before.clone(), incoming)?;
        let sources = self.ticked(sources).await?;
        let live = match (&added, self.incoming) {
            (Some(added), Incoming::Addition(addition)) => {
                Live::new(added.version.clone(), addition.definition.pipeline.clone())
            }
            _ => Live::read(plane, call, &of.project, after.version).await?,
        };
        let (moves, mut warnings) = self.moves(&sources, &after, &live).await?;
        if after.state == environment::State::Enabled {
            warnings.extend(live.secrets.warnings(plane, &call.owner, &mut BTreeMap::new()).await?);
        }
        let revision = before.as_ref().map_or(0, |before| before.revision);
        let was_live = before.as_ref().filter(|before| before.state != environment::State::Removed);
        let from_version = was_live.map(|before| before.version);
        // With a version to add there is always something to write: what was read may have the same number and instant
        // from another writer's version.
        if added.is_none() && before.as_ref() == Some(&after) && moves.is_empty() {
            let version = live.version;
            let changed = Changed { environment: after, sources, version, from_version, warnings };
            return Ok(RoundOutcome::Made(Box::new(changed)));
        }
        after.revision = revision + 1;
        after.updated_at = call.now;
        after.updated_by = call.key.clone();
        let mut transaction = plane.store.transaction().environment(&after, revision)?;
        transaction =
            transaction.environment_audit(&self.audit(before.as_ref().map_or(0, |before| before.version), &after))?;
        if let Some(added) = &added {
            transaction = added.write(transaction)?;
        }
        for change in &moves {
            transaction = match &change.before {
                Some(before) => {
                    with_change(transaction, before, &change.after, change.settled.as_ref(), &change.audit)?
                }
                None => transaction.new_deployment(&change.after)?.audit(&change.audit)?,
            };
        }
        let mut sources = sources;
        for SourceMove { after, .. } in &moves {
            sources.retain(|source| source.id != after.id);
            sources.push(after.clone());
        }
        let changed = Changed { environment: after, sources, version: live.version, from_version, warnings };
        if let Some(Memory { once, answer }) = memory {
            transaction = once.remember(transaction, call, &answer(&changed)?)?;
        }
        if let Err(error) = transaction.commit().await {
            return Ok(RoundOutcome::Rejected(error));
        }
        plane.notify_watchers(&call.owner).await;
        for SourceMove { before, after, .. } in &moves {
            plane.follow(after).await;
            if let Some(before) = before {
                ring_released(plane, before, after).await;
            }
        }
        Ok(RoundOutcome::Made(Box::new(changed)))
    }

    /// The sources, each with its run for a minute that has just become due. What is to stop stops as it is.
    async fn ticked(&self, sources: Vec<Deployment>) -> Result<Vec<Deployment>, Error> {
        if matches!(
            self.operation,
            Operation::EnvironmentDisable | Operation::EnvironmentRemove | Operation::SourcePause
        ) {
            return Ok(sources);
        }
        let mut ticked = Vec::with_capacity(sources.len());
        for source in sources {
            ticked.push(tick::ticked(self.plane, source).await?);
        }
        Ok(ticked)
    }

    /// Its row of the history.
    pub fn audit(&self, from_version: u32, after: &Environment) -> EnvironmentAudit {
        let Change { plane, call, of, operation, source, .. } = self;
        EnvironmentAudit {
            id: RunId::new(call.now, plane.ambient.random_u128()),
            owner: call.owner.clone(),
            project: of.project.clone(),
            environment: of.environment.clone(),
            operation: operation.clone(),
            source: source.map(str::to_owned),
            key: call.key.clone(),
            at: call.now,
            from_version,
            version: after.version,
            revision: after.revision,
        }
    }

    /// What becomes of each source that the change concerns.
    async fn moves(
        &self,
        sources: &[Deployment],
        after: &Environment,
        live: &Live,
    ) -> Result<(Vec<SourceMove>, Vec<Detail>), Error> {
        let scheduled = after.sources.iter().filter(|(_, source)| !source.schedule.is_manual());
        let scheduled: BTreeSet<String> = scheduled.map(|(id, _)| id.clone()).collect();
        if scheduled.len() > SCHEDULES_LIMIT {
            let message = format!("{} sources are on a schedule, the limit of one environment", scheduled.len());
            return Err(Error::new(Code::TooLarge, message).hint(format!("schedule at most {SCHEDULES_LIMIT}")));
        }
        // A source without a schedule runs by hand alone, and what runs by hand looks at the environment itself.
        let ticking = sources.iter().filter(|source| !source.schedule.is_manual());
        let ticking = ticking.filter_map(|one| one.id.environment_source()).map(|one| one.source.to_string());
        let mut concerned: BTreeSet<String> = ticking.chain(scheduled).collect();
        if let Some(only) = self.source {
            live.must_have(only)?;
            concerned.retain(|source| source == only);
        }
        let (mut moves, mut warnings) = (Vec::new(), Vec::new());
        for source in concerned {
            let id = deployment_of(self.of, &source)?;
            let before = sources.iter().find(|one| one.id == id);
            let mut plan = None;
            if live.has(&source) && after.state != environment::State::Removed {
                let definition = Definition::compile_source(self.plane, &live.text, &source)?;
                if !after.source(&source).schedule.is_manual() {
                    warnings.extend(definition.warnings());
                }
                plan = Some(self.plan(&definition, before).await?);
            }
            moves.extend(self.source(id, &source, before, after, plan)?);
        }
        Ok((moves, warnings))
    }

    /// Stores the plan of a source, unless it has it, and names it.
    async fn plan(&self, definition: &Definition, before: Option<&Deployment>) -> Result<String, Error> {
        let plan = serde_json::to_vec(&definition.compiled.plan).map_err(Error::internal)?;
        let name = sha256(&plan);
        if before.is_none_or(|before| before.plan_sha256.as_ref() != Some(&name)) {
            self.plane.store.put_bodies(&self.call.owner, &self.of.project, &[&plan]).await?;
        }
        Ok(name)
    }

    /// The deployment of a source as it is to be, if it changes. Without a plan the live version has no such source.
    fn source(
        &self,
        id: DeploymentId,
        source: &str,
        before: Option<&Deployment>,
        environment: &Environment,
        plan: Option<String>,
    ) -> Result<Option<SourceMove>, Error> {
        let Change { plane, call, operation, .. } = self;
        let settings = environment.source(source);
        let state = match plan {
            Some(_) => environment.source_state(source, call.now),
            None => State::Removed { at: call.now },
        };
        let mut after = match before {
            Some(before) => touched(before, call.now),
            None if state.is_removed() => return Ok(None),
            None => fresh_record(plane, call, id),
        };
        if !is_alike(&after.state, &state) || before.is_none() {
            after.state = state;
        }
        after.schedule = settings.schedule;
        after.version = environment.version;
        after.last_version = environment.version;
        after.plan_sha256 = plan.or(after.plan_sha256);
        after.settings.timeout_seconds = settings.ttl_seconds.unwrap_or(TTL_LIMIT);
        after.key = call.key.clone();
        let settled = match before {
            Some(before) if is_same(before, &after) => return Ok(None),
            Some(before) => settle(plane, before, &mut after, plane.now()),
            None => None,
        };
        let audit = audit(plane, operation.clone(), Some(call), &after, call.now);
        Ok(Some(SourceMove { before: before.cloned(), after, settled, audit }))
    }
}

/// The deployment of one source.
pub fn deployment_of(of: &OfEnvironment, source: &str) -> Result<DeploymentId, Error> {
    let OfEnvironment { project, environment } = of.clone();
    Ok(EnvironmentSource::new(project, environment, source)?.into())
}

/// Whether two states differ at most in their instant.
fn is_alike(one: &State, other: &State) -> bool {
    match (one, other) {
        (State::Paused { note, .. }, State::Paused { note: other, .. }) => note == other,
        _ => one.status() == other.status(),
    }
}

fn is_same(before: &Deployment, after: &Deployment) -> bool {
    Deployment { revision: before.revision, updated_at: before.updated_at, ..after.clone() } == *before
}

struct SourceMove {
    before: Option<Deployment>,
    after: Deployment,
    settled: Option<Stretch>,
    audit: Audit,
}

/// A version with its pipeline.
pub struct Live {
    pub version: Version,
    pub text: Box<RawValue>,
    components: BTreeSet<String>,
    secrets: NamedSecrets,
}

impl Live {
    fn new(version: Version, pipeline: Pipeline) -> Live {
        let components = pipeline.components().iter().map(|component| component.id.clone()).collect();
        let secrets =
            NamedSecrets::of(pipeline.components().iter().map(|component| (component.id.as_str(), &component.config)));
        let text = RawValue::from_string(pipeline.json().to_owned()).expect("a parsed pipeline is JSON");
        Live { version, text, components, secrets }
    }

    pub async fn read(plane: &Plane, call: &Call, project: &ProjectId, number: u32) -> Result<Live, Error> {
        let version = version(plane, call, project, number).await?;
        let text = stored_pipeline(plane, &call.owner, project, &version.sha256).await?;
        let pipeline = Pipeline::parse(text.get()).map_err(Error::problems)?;
        Ok(Live::new(version, pipeline))
    }

    fn has(&self, source: &str) -> bool {
        self.components.contains(source)
    }

    /// Refuses a source that the version does not have.
    pub fn must_have(&self, source: &str) -> Result<(), Error> {
        if self.has(source) {
            return Ok(());
        }
        let message = format!(
            "source `{source}` is not a component of version {} of `{}`",
            self.version.number, self.version.project
        );
        Err(Error::missing(Noun::Source, message).hint("name a component of the version that is live there"))
    }
}
