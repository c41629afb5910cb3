//! What the engine needs of the table before it can start: the plan, the input, the secrets, the keys seen before.

use crate::deployment::definition::{Definition, stored_pipeline};
use crate::error::{Code, Error};
use crate::plane::{PlanKey, Plane};
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tidemill_engine::{HostError, RunContext, RunFacts, RunInput, Running, SeenKeys, Work};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{OwnerId, ProjectId, RunId, SecretName};
use tidemill_model::retention::BODIES;
use tidemill_model::run::{Run, Trigger};
use tidemill_model::task::{Task, Trace};
use tidemill_model::version::{NO_VERSION, Version};
use tidemill_plan::{Class, Plan, Start};
use tidemill_store::Store;

/// Variables that a caller may give to a task: RocketRide's own names.
const VARIABLE_PREFIX: &str = "ROCKETRIDE_";

/// Why an execution did not start.
pub enum StartError {
    /// The run fails by it.
    Engine(tidemill_engine::Error),
    /// The plane is at fault, and the run is tried again.
    Plane(Error),
}

impl From<Error> for StartError {
    fn from(error: Error) -> StartError {
        StartError::Plane(error)
    }
}

/// Hands a run to the engine, which continues after its last checkpoint.
pub async fn start(plane: &Plane, run: &Run) -> Result<Box<dyn Running>, StartError> {
    let plan = plan(plane, run).await.map_err(|error| match error.code {
        Code::FailedPrecondition => StartError::Engine(tidemill_engine::Error::of_plan(error.message)),
        _ => StartError::Plane(error),
    })?;
    let checkpoint = match run.epoch {
        // It is its first worker, so nothing is saved.
        1 if run.engine_deaths == 0 => None,
        _ => plane.store.checkpoint(run).await.map_err(Error::from)?,
    };
    let checkpoint = checkpoint.map(|saved| serde_json::from_str(&saved.0)).transpose().map_err(Error::internal)?;
    let task = match &run.task {
        Some(hash) => plane.store.task_by_hash(&run.owner, hash).await.map_err(Error::from)?,
        None => None,
    };
    let ambient = plane.ambient.clone();
    let input = input(plane, run).await?.ok_or_else(|| StartError::Engine(input_is_gone()))?;
    let secrets = secrets(plane, &run.owner, &plan).await?;
    let variables = match &task {
        Some(task) => variables(plane, task).await?,
        None => BTreeMap::new(),
    };
    let context = RunContext {
        run: facts(run),
        owner: Some(run.owner.clone()),
        input,
        secrets,
        variables,
        seen: seen(plane, &run.owner, &run.deployment),
        now: Arc::new(move || ambient.now()),
        host: plane.host.clone(),
        trace: task.as_ref().map_or(Trace::None, |task| task.trace),
        listener: None,
    };
    Ok(plane.engine.execute(Work { owner: run.owner.to_string(), plan, context, checkpoint }))
}

/// What the run was made with; `None` if it is gone.
async fn input(plane: &Plane, run: &Run) -> Result<Option<RunInput>, Error> {
    if let Some(small) = &run.small_input {
        return serde_json::from_str(small).map(RunInput::Whole).map(Some).map_err(Error::internal);
    }
    let Some(sha256) = &run.input else { return Ok(Some(RunInput::Nothing)) };
    let Some(body) = plane.store.run_body(&run.owner, run.deployment.project(), sha256).await? else { return Ok(None) };
    serde_json::from_slice(&body).map(RunInput::Whole).map(Some).map_err(Error::internal)
}

/// A run may wait for longer than its input is kept, while its deployment is paused.
fn input_is_gone() -> tidemill_engine::Error {
    let days = BODIES.as_hours() / 24;
    tidemill_engine::Error::of_plan(format!("the run waited for longer than its input is kept, {days} days"))
}

/// The plan of a run: that of its version, or its task's own.
pub async fn plan(plane: &Plane, run: &Run) -> Result<Arc<Plan>, Error> {
    if let Some(sha256) = &run.plan_sha256 {
        return stored_plan(plane, &run.owner, run.deployment.project(), sha256).await;
    }
    let number = run.version.ok_or_else(|| Error::internal("a run has neither a version nor a plan of its own"))?;
    let key = PlanKey::Version(run.owner.clone(), run.deployment.project().clone(), number);
    let plan = match plane.memory.plans.get(&key) {
        Some(plan) => plan,
        None => {
            let version = version(plane, run, number).await?;
            read_plan(plane, &run.owner, run.deployment.project(), &version.plan_sha256, key).await?
        }
    };
    match start_for(run).filter(|start| plan.has_other_source && !is_started_by(&plan, *start)) {
        Some(start) => of_another_source(plane, run, number, start).await,
        None => Ok(plan),
    }
}

async fn version(plane: &Plane, run: &Run, number: u32) -> Result<Version, Error> {
    let version = plane.store.version(&run.owner, run.deployment.project(), number).await?;
    version.ok_or_else(|| Error::internal("a run's version is missing"))
}

/// What a run's trigger can start, if that is one kind of source alone.
fn start_for(run: &Run) -> Option<Start> {
    match run.trigger {
        Trigger::Schedule => Some(Start::Schedule),
        Trigger::Webhook | Trigger::Call => Some(Start::Call),
        Trigger::Manual if run.has_input() => Some(Start::Call),
        Trigger::Manual => Some(Start::Schedule),
        Trigger::Task => None,
    }
}

fn is_started_by(plan: &Plan, start: Start) -> bool {
    let class = tidemill_engine::catalogue().get(&plan.source().provider).map(|provider| provider.class);
    (class == Some(Class::WaitingSource)) == (start == Start::Call)
}

/// The plan of the source that a trigger starts, of a pipeline that has one for each kind of trigger.
async fn of_another_source(plane: &Plane, run: &Run, number: u32, start: Start) -> Result<Arc<Plan>, Error> {
    let key = PlanKey::OtherSource(run.owner.clone(), run.deployment.project().clone(), number);
    if let Some(plan) = plane.memory.plans.get(&key) {
        return Ok(plan);
    }
    let version = version(plane, run, number).await?;
    let text = stored_pipeline(plane, &run.owner, run.deployment.project(), &version.sha256).await?;
    // A version that was deployed can be compiled, unless the rules have changed since. What is wrong is its owner's to see.
    let definition = Definition::compile_live(plane, &text, start).map_err(|_| {
        let message = format!("version {number} cannot be compiled by the rules of today; validate the pipeline");
        Error::new(Code::FailedPrecondition, message)
    })?;
    let plan = Arc::new(definition.compiled.plan);
    plane.memory.plans.put(key, plan.clone(), text.get().len());
    Ok(plan)
}

/// A plan by its name.
pub async fn stored_plan(
    plane: &Plane,
    owner: &OwnerId,
    project: &ProjectId,
    sha256: &str,
) -> Result<Arc<Plan>, Error> {
    let key = PlanKey::Body(sha256.to_owned());
    if let Some(plan) = plane.memory.plans.get(&key) {
        return Ok(plan);
    }
    read_plan(plane, owner, project, sha256, key).await
}

/// Reads a plan, and keeps it in memory.
async fn read_plan(
    plane: &Plane,
    owner: &OwnerId,
    project: &ProjectId,
    sha256: &str,
    key: PlanKey,
) -> Result<Arc<Plan>, Error> {
    let body = plane.store.body(owner, project, sha256).await?;
    let body = body.ok_or_else(|| Error::internal("a plan is missing"))?;
    let plan: Arc<Plan> = serde_json::from_slice(&body).map(Arc::new).map_err(Error::internal)?;
    plane.memory.plans.put(key, plan.clone(), body.len());
    Ok(plan)
}

pub fn facts(run: &Run) -> RunFacts {
    RunFacts {
        run_id: run.id.to_string(),
        object: None,
        project: run.deployment.project().to_string(),
        version: run.version.unwrap_or(NO_VERSION),
        attempt: run.attempt,
        trigger: run.trigger.as_str().to_owned(),
        tick: run.tick,
        previous_tick: run.previous_tick,
    }
}

/// Opens the secrets that a plan names, and no others. One that is not set is left for the engine to report.
pub async fn secrets(plane: &Plane, owner: &OwnerId, plan: &Plan) -> Result<BTreeMap<String, SecretString>, Error> {
    let mut opened = BTreeMap::new();
    for name in names(plan) {
        let Ok(parsed) = SecretName::parse(name.clone()) else { continue };
        if let Some(stored) = plane.store.secret(owner, &parsed).await? {
            opened.insert(name.clone(), plane.cipher.open(owner, &name, &stored.sealed).await?);
        }
    }
    Ok(opened)
}

fn names(plan: &Plan) -> BTreeSet<String> {
    plan.nodes.iter().flat_map(|node| tidemill_engine::secret_names(&node.config)).collect()
}

/// Seals those of a caller's variables that a plan names: callers send all that they have, their API key included.
pub async fn sealed_variables(
    plane: &Plane,
    owner: &OwnerId,
    run: &RunId,
    plan: &Plan,
    given: BTreeMap<String, String>,
) -> Result<Option<String>, Error> {
    let names = names(plan);
    let wanted = |name: &String| name.starts_with(VARIABLE_PREFIX) && names.contains(name);
    let kept: BTreeMap<String, String> = given.into_iter().filter(|(name, _)| wanted(name)).collect();
    if kept.is_empty() {
        return Ok(None);
    }
    let text = SecretString::from(serde_json::to_string(&kept).map_err(Error::internal)?);
    plane.cipher.seal(owner, &sealed_under(run), &text).await.map(Some)
}

/// The variables that a task's caller gave.
pub async fn variables(plane: &Plane, task: &Task) -> Result<BTreeMap<String, String>, Error> {
    let Some(sealed) = &task.variables else { return Ok(BTreeMap::new()) };
    let text = plane.cipher.open(&task.owner, &sealed_under(&task.run), sealed).await?;
    serde_json::from_str(text.expose_secret()).map_err(Error::internal)
}

fn sealed_under(run: &RunId) -> String {
    format!("task {run}")
}

/// The keys that `dedupe` and `changed` have seen in earlier runs of a deployment.
pub fn seen(plane: &Plane, owner: &OwnerId, deployment: &DeploymentId) -> Arc<dyn SeenKeys> {
    let (store, clock) = (plane.store.clone(), plane.ambient.clone());
    Arc::new(StoredKeys { store, owner: owner.clone(), deployment: deployment.clone(), clock })
}

struct StoredKeys {
    store: Store,
    owner: OwnerId,
    deployment: DeploymentId,
    clock: Arc<dyn crate::Clock>,
}

impl SeenKeys for StoredKeys {
    fn seen<'a>(
        &'a self,
        component: &'a str,
        keys: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Option<String>>, HostError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let seen = self.store.seen(&self.owner, &self.deployment, component, keys, now).await;
            seen.map_err(|error| HostError { message: error.to_string(), retryable: true })
        })
    }
}
