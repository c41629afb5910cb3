//! Writes a task that is opened, with its run, its credentials and what it is found by: one transaction.

use crate::answer::TaskAnswer;
use crate::deployment::change::Retry;
use crate::deployment::definition::{BodyHashes, Definition};
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::run::preparation::sealed_variables;
use crate::run::turn::bell;
use crate::task::life::settle;
use crate::task::turn::SourceTurn;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::time::Duration;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::RunId;
use tidemill_model::run::{self, Run, Trigger};
use tidemill_model::task::{ComponentSums, Counts, IDLE_SECONDS, OPEN_LIMIT, State, THREADS, Task, Trace};
use tidemill_plan::Class;
use tidemill_store::{Credential, Part};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    pub pipeline: Box<RawValue>,
    /// The component to start at, instead of the pipeline's own `source`.
    pub source: Option<String>,
    /// The text to address the task by; an unguessable one unless it is given.
    pub token: Option<String>,
    /// Gives the task that is open already, instead of refusing.
    #[serde(default)]
    pub use_existing: bool,
    /// Idle seconds after which it ends, 900 unless given; 0 is never.
    pub ttl_seconds: Option<u32>,
    /// Objects that one process works on at once: 1 to 64, 4 unless given.
    pub threads: Option<u32>,
    pub name: Option<String>,
    /// The caller's `ROCKETRIDE_…` variables; those that the pipeline names are kept, sealed.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default)]
    pub trace: Trace,
}

/// A task that is to be opened.
pub(super) struct TaskOpening<'a> {
    pub plane: &'a Plane,
    pub call: &'a Call,
    pub input: Input,
    pub definition: Definition,
    /// `None` if the pipeline came with the call.
    pub version: Option<u32>,
    pub turn: Option<SourceTurn>,
}

enum Attempt {
    Answered(Box<TaskAnswer>),
    /// Another call opened one at the same time.
    Rejected(tidemill_store::Error),
}

impl TaskOpening<'_> {
    pub async fn open(self) -> Result<TaskAnswer, Error> {
        let mut retry = Retry::new();
        let mut made = None;
        loop {
            match self.attempt(&mut made).await? {
                Attempt::Answered(answer) => return Ok(*answer),
                Attempt::Rejected(error) if error.rejects(Part::OpenTasks) => return Err(too_many()),
                Attempt::Rejected(error) if error.rejects(Part::Task) => {
                    retry.again(self.plane, error, Part::Task).await?;
                }
                Attempt::Rejected(error) => retry.again(self.plane, error, Part::Deployment).await?,
            }
        }
    }

    /// `made` keeps the task from one attempt to the next: what it names is stored and sealed once.
    async fn attempt(&self, made: &mut Option<Task>) -> Result<Attempt, Error> {
        let TaskOpening { plane, call, input, .. } = self;
        let (deployment, source) = (self.deployment(), self.source());
        let serving = plane.store.task_of_source(&call.owner, &deployment, source).await?;
        let before = match &input.token {
            Some(token) => plane.store.task(&call.owner, token).await?,
            None => serving.as_ref().and_then(|(_, task)| task.clone()),
        };
        let before = match before {
            None => None,
            Some(task) => Some(settle(plane, task).await?),
        };
        if let Some(open) = before.as_ref().filter(|task| task.state != State::Ended) {
            return self.existing(open);
        }
        let task = match made.take() {
            Some(task) => task,
            None => self.task(plane.now()).await?,
        };
        let task = made.insert(task);
        let run = self.history(task);
        let replaced = before.as_ref().filter(|before| before.token == task.token);
        let credential = |public| Credential { owner: task.owner.clone(), token: task.token.clone(), public };
        let mut transaction = plane.store.transaction().new_task(task, replaced)?.new_run(&run)?;
        if !task.has_chosen_token {
            transaction = transaction.task_credential(&task.token, &credential(false), None)?;
        }
        transaction = transaction.task_credential(&task.public_token, &credential(true), None)?;
        if let Some(turn) = &self.turn {
            transaction = turn.take(plane, call, transaction, &run).await?;
        }
        if self.is_to_be_found(serving.as_ref().map(|(_, task)| task.as_ref())) {
            transaction = transaction.task_of_source(task, serving.as_ref().map(|(run, _)| run))?;
        }
        match transaction.commit().await {
            Ok(()) => {
                if !task.waits {
                    plane.ring(bell(&run), Duration::ZERO).await;
                }
                plane.notify_watchers(&task.owner).await;
                let warnings = self.definition.all_warnings(plane, &call.owner).await?;
                Ok(Attempt::Answered(Box::new(TaskAnswer { warnings, ..TaskAnswer::new(task, false) })))
            }
            Err(error) if [Part::Task, Part::OpenTasks, Part::Deployment].iter().any(|part| error.rejects(*part)) => {
                Ok(Attempt::Rejected(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The project, or the environment's source that has its turn.
    fn deployment(&self) -> DeploymentId {
        let project = || self.definition.pipeline.project_id().into();
        self.turn.as_ref().map_or_else(project, |turn| turn.deployment.clone())
    }

    fn source(&self) -> &str {
        &self.definition.compiled.plan.source().id
    }

    /// A task under a chosen token does not hide one that its source's callers find already.
    fn is_to_be_found(&self, serving: Option<Option<&Task>>) -> bool {
        let is_open = serving.flatten().is_some_and(|task| task.state != State::Ended);
        self.input.token.is_none() || !is_open
    }

    fn existing(&self, open: &Task) -> Result<Attempt, Error> {
        let is_same = open.deployment == self.deployment() && open.source == self.source();
        if self.input.use_existing && is_same && open.state == State::Open {
            return Ok(Attempt::Answered(Box::new(TaskAnswer::new(open, true))));
        }
        let project = open.deployment.project();
        let message = format!("a task of project `{project}` and source `{}` is {}", open.source, open.state);
        let hint = match open.state {
            State::Ending => "wait until it has ended, at most a minute or two",
            State::Open | State::Ended => "use the one that is open, or end it first",
        };
        Err(Error::new(Code::AlreadyExists, message).hint(hint))
    }

    async fn task(&self, now: Timestamp) -> Result<Task, Error> {
        let TaskOpening { plane, call, input, definition, version, .. } = self;
        let plan = &definition.compiled.plan;
        let deployment = self.deployment();
        let run = RunId::new(now, plane.ambient.random_u128());
        let BodyHashes { pipeline_sha256, plan_sha256 } =
            definition.store_bodies(plane, call, deployment.project()).await?;
        let provider = plan.source().provider.clone();
        Ok(Task {
            token: input.token.clone().unwrap_or_else(|| format!("tk_{:032x}", plane.ambient.random_u128())),
            has_chosen_token: input.token.is_some(),
            public_token: format!("pk_{:032x}", plane.ambient.random_u128()),
            owner: call.owner.clone(),
            source: plan.source().id.clone(),
            waits: waits(&provider),
            provider,
            key: call.key.clone(),
            name: input.name.clone().or(definition.pipeline.name().map(str::to_owned)).unwrap_or_default(),
            description: definition.pipeline.description().unwrap_or_default().to_owned(),
            version: *version,
            pipeline_sha256,
            plan_sha256,
            variables: sealed_variables(plane, &call.owner, &run, plan, input.variables.clone()).await?,
            threads: input.threads.unwrap_or(THREADS),
            trace: input.trace,
            ttl_seconds: input.ttl_seconds.unwrap_or(IDLE_SECONDS),
            state: State::Open,
            opened_at: now,
            used_at: now,
            stopped_at: None,
            ended_at: None,
            end: None,
            in_flight: 0,
            busy_until: None,
            epoch: 0,
            restarts: 0,
            counts: Counts::default(),
            components: ComponentSums::default(),
            errors: Vec::new(),
            log_chunks: 0,
            current_object: String::new(),
            current_size: 0,
            deployment,
            run,
        })
    }

    /// The run that the task is in the history.
    fn history(&self, task: &Task) -> Run {
        Run {
            version: task.version,
            trigger: Trigger::Task,
            state: if task.waits { run::State::Running } else { run::State::Queued },
            started_at: task.waits.then_some(task.opened_at),
            task: Some(task.token_hash()),
            plan_sha256: (!task.waits).then(|| task.plan_sha256.clone()),
            ..Run::queued(task.run.clone(), task.owner.clone(), task.deployment.clone(), task.opened_at)
        }
    }
}

fn too_many() -> Error {
    Error::new(Code::TooLarge, format!("{OPEN_LIMIT} tasks are open, the limit of one owner"))
        .hint("end one that you do not need, or let idle ones end by a shorter `ttl`")
}

/// Whether a source waits for objects. Another one makes its own.
pub(crate) fn waits(provider: &str) -> bool {
    tidemill_engine::catalogue().get(provider).is_some_and(|provider| provider.class == Class::WaitingSource)
}
