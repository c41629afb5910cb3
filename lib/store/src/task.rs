//! Tasks. Objects come and go at many places at once, so what they change are single attributes, each on its own
//! condition; a task as a whole is only written when it is opened.

use crate::error::{Error, Part};
use crate::held::Held;
use crate::item::{Item, expiring, number, text, to_item};
use crate::keys::{EXPIRES, RUN_OWNER};
use crate::page::{Order, Range};
use crate::transaction::{Condition, Transaction};
use crate::update::Update;
use crate::{Store, keys};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{OwnerId, RunId};
use tidemill_model::run::{ComponentCounts, Run};
use tidemill_model::task::{ComponentSums, End, OPEN_LIMIT, State, Task};
use tidemill_model::version::sha256;

/// The ids of a task's objects in flight. An update that a lost answer lets come twice finds by them that it has
/// happened, so that no object is counted twice.
const OBJECTS: &str = "objects";

/// Whose task a token is the credential of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub owner: OwnerId,
    /// The task's own token.
    pub token: String,
    /// It may only send objects.
    pub public: bool,
}

/// Which task serves a source.
#[derive(Serialize, Deserialize)]
struct Serving {
    token: String,
    run: RunId,
}

/// An object that is to be accepted.
#[derive(Clone, Debug)]
pub struct Arriving<'a> {
    /// No other object of the task has it.
    pub id: &'a str,
    pub name: &'a str,
    /// Those that its caller announced.
    pub bytes: u64,
}

/// What a task is to run from now on.
#[derive(Clone, Debug)]
pub struct Served {
    pub pipeline_sha256: String,
    pub plan_sha256: String,
    /// The source's provider.
    pub provider: String,
}

/// How an object ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// That under which it was accepted.
    pub id: String,
    pub bytes: u64,
    /// Those of them that were not known when it was accepted.
    pub uncounted: u64,
    pub error: Option<String>,
    /// What the components counted of it.
    pub components: Vec<ComponentCounts>,
}

impl Store {
    /// Finds an owner's task by its token, an ended one too as long as the table keeps it.
    pub async fn task(&self, owner: &OwnerId, token: &str) -> Result<Option<Task>, Error> {
        self.get(&keys::task(owner, &sha256(token.as_bytes()))).await
    }

    /// Finds an owner's task by the hash of its token, which its run holds.
    pub async fn task_by_hash(&self, owner: &OwnerId, hash: &str) -> Result<Option<Task>, Error> {
        self.get(&keys::task(owner, hash)).await
    }

    /// Every task of an owner that the table keeps: the open ones, and those that ended not long ago.
    pub async fn tasks(&self, owner: &OwnerId) -> Result<Vec<Task>, Error> {
        self.all_tasks(owner).await?.into_iter().map(crate::item::from_item).collect()
    }

    async fn all_tasks(&self, owner: &OwnerId) -> Result<Vec<Item>, Error> {
        self.all(Range::prefix(keys::owner_partition(owner), keys::TASKS, Order::Ascending)).await
    }

    /// The tasks of an owner that have not ended, for those who go on when a record cannot be read. Others may be among
    /// them.
    ///
    /// The index has them, unless it lags behind or an earlier version opened some: then it has fewer than are counted.
    pub async fn each_open_task(&self, owner: &OwnerId) -> Result<Vec<Result<Task, Error>>, Error> {
        let counted = self.open_tasks(owner).await? as usize;
        if counted == 0 {
            return Ok(Vec::new());
        }
        let Range { from, to, .. } = Range::prefix(String::new(), keys::TASKS, Order::Descending);
        let (found, _) = self.index(&keys::open_index(owner), &from, &to, OPEN_LIMIT as usize).await?;
        let items = match found.len() < counted {
            true => self.all_tasks(owner).await?,
            false => self.batch(found).await?,
        };
        Ok(items.into_iter().map(crate::item::from_item).collect())
    }

    /// Lets the run of an open task stay. An earlier version let it expire a month after the task was opened.
    pub async fn keep_run_of(&self, task: &Task) -> Result<(), Error> {
        let update = Update::of(&keys::run(&task.owner, &task.deployment, &task.run))
            .remove(EXPIRES)
            .when("attribute_exists(#u_expires) AND attribute_not_exists(ended_at)");
        match self.update::<Run>(Part::Run, update).await {
            Err(error) if error.rejects(Part::Run) => Ok(()),
            kept => kept.map(drop),
        }
    }

    /// How many of an owner's tasks are counted as open.
    pub async fn open_tasks(&self, owner: &OwnerId) -> Result<u32, Error> {
        #[derive(Deserialize)]
        struct Counter {
            open: u32,
        }
        let counter: Option<Counter> = self.get(&keys::open_tasks(owner)).await?;
        Ok(counter.map_or(0, |counter| counter.open))
    }

    /// The run of the task that was last opened for a source, and the task, unless the table has forgotten it.
    pub async fn task_of_source(
        &self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        source: &str,
    ) -> Result<Option<(RunId, Option<Task>)>, Error> {
        let serving: Option<Serving> = self.get(&keys::task_of_source(owner, deployment, source)).await?;
        let Some(Serving { token, run }) = serving else { return Ok(None) };
        let task = self.task(owner, &token).await?.filter(|task| task.run == run);
        Ok(Some((run, task)))
    }

    /// Whose task a token is the credential of, by the token's sha256.
    pub async fn task_credential(&self, hash: &str) -> Result<Option<Credential>, Error> {
        self.get(&keys::task_credential(hash)).await
    }

    /// Accepts an object, unless the task takes no more: then [`Error::Rejected`] names [`Part::Task`].
    pub async fn accept(
        &self,
        owner: &OwnerId,
        token: &str,
        object: &Arriving<'_>,
        now: Timestamp,
        busy_until: Timestamp,
    ) -> Result<Held<Task>, Error> {
        let update = Update::of(&keys::task(owner, &sha256(token.as_bytes())))
            .include(OBJECTS, object.id)
            .add("in_flight", 1)
            .add("total_count", 1)
            .add("total_size", object.bytes)
            .set("current_object", text(object.name))
            .set("current_size", number(object.bytes))
            .set("used_at", text(now.to_string()))
            .set("busy_until", text(busy_until.to_string()))
            .when("#state = :open AND NOT contains(#u_objects, :id)")
            .name("#state", "state")
            .value(":open", text(State::Open.as_str()))
            .value(":id", text(object.id));
        self.update(Part::Task, update).await.map(Held::by_claim)
    }

    /// Renews the lease on the objects that were accepted in a task's epoch.
    pub async fn keep_busy(&self, task: &Held<Task>, busy_until: Timestamp) -> Result<Task, Error> {
        let update = Update::of(&keys::task(&task.owner, &task.token_hash()))
            .set("busy_until", text(busy_until.to_string()))
            .when("epoch = :epoch AND #run = :run")
            .name("#run", "run")
            .value(":epoch", number(task.epoch))
            .value(":run", text(task.run.as_str()));
        self.update(Part::Task, update).await
    }

    /// Counts the end of an object that was accepted in the task's epoch.
    pub async fn complete(&self, task: &Held<Task>, ended: &Ended, now: Timestamp) -> Result<Task, Error> {
        self.update(Part::Task, completed(task, ended, now)).await
    }

    /// The number of the next chunk of a task's log, which no other object gets.
    pub async fn next_log_chunk(&self, task: &Held<Task>) -> Result<u32, Error> {
        let update = Update::of(&keys::task(&task.owner, &task.token_hash()))
            .add("log_chunks", 1)
            .when("epoch = :epoch AND #run = :run")
            .name("#run", "run")
            .value(":epoch", number(task.epoch))
            .value(":run", text(task.run.as_str()));
        let after: Task = self.update(Part::Task, update).await?;
        Ok(after.log_chunks - 1)
    }

    /// Lets an open task take no more objects.
    pub async fn stop_taking(&self, task: &Task, end: End, now: Timestamp) -> Result<Task, Error> {
        let update = Update::of(&keys::task(&task.owner, &task.token_hash()))
            .set("state", text(State::Ending.as_str()))
            .set("end", serde_dynamo::to_attribute_value(end).map_err(|e| Error::Corrupt(e.to_string()))?)
            .set("stopped_at", text(now.to_string()))
            .when("#u_state = :open AND #run = :run")
            .name("#run", "run")
            .value(":open", text(State::Open.as_str()))
            .value(":run", text(task.run.as_str()));
        self.update(Part::Task, update).await
    }

    /// Gives up objects whose workers are gone: they gave no sign of life for too long.
    pub async fn give_up(&self, task: &Task) -> Result<Task, Error> {
        let seen = task.busy_until.map_or(AttributeValue::Null(true), |until| text(until.to_string()));
        let update = Update::of(&keys::task(&task.owner, &task.token_hash()))
            .set("in_flight", number(0))
            .remove(OBJECTS)
            .add("epoch", 1)
            .add("failed_count", task.in_flight)
            .when("epoch = :epoch AND busy_until = :seen AND #u_in_flight = :in_flight AND #run = :run")
            .name("#run", "run")
            .value(":epoch", number(task.epoch))
            .value(":in_flight", number(task.in_flight))
            .value(":seen", seen)
            .value(":run", text(task.run.as_str()));
        self.update(Part::Task, update).await
    }

    /// Gives a task another pipeline.
    pub async fn restart(&self, task: &Task, served: &Served, now: Timestamp) -> Result<Task, Error> {
        let update = Update::of(&keys::task(&task.owner, &task.token_hash()))
            .set("pipeline_sha256", text(&served.pipeline_sha256))
            .set("plan_sha256", text(&served.plan_sha256))
            .set("provider", text(&served.provider))
            .set("used_at", text(now.to_string()))
            .set("restarts", number(task.restarts + 1))
            .when("#state = :open AND #run = :run AND #u_restarts = :restarts")
            .value(":restarts", number(task.restarts))
            .name("#state", "state")
            .name("#run", "run")
            .value(":open", text(State::Open.as_str()))
            .value(":run", text(task.run.as_str()));
        self.update(Part::Task, update).await
    }
}

impl Transaction<'_> {
    /// Opens a task in place of `before`, which has ended, and counts it.
    pub fn new_task(self, task: &Task, before: Option<&Task>) -> Result<Self, Error> {
        let mut item = to_item(&keys::task(&task.owner, &task.token_hash()), task)?;
        item.insert(RUN_OWNER.to_owned(), text(keys::open_index(&task.owner)));
        let condition = match before {
            None => Condition::absent(),
            Some(before) => Condition::when("#run = :run AND #state = :ended")
                .name("#run", "run")
                .name("#state", "state")
                .value(":run", text(before.run.as_str()))
                .value(":ended", text(State::Ended.as_str())),
        };
        let limit = Update::of(&keys::open_tasks(&task.owner))
            .add("open", 1)
            .when("attribute_not_exists(#u_open) OR #u_open < :limit")
            .value(":limit", number(OPEN_LIMIT));
        Ok(self.put(Part::Task, item, condition).update(Part::OpenTasks, limit))
    }

    /// Lets a source's callers find a task instead of that of the run `before`.
    pub fn task_of_source(self, task: &Task, before: Option<&RunId>) -> Result<Self, Error> {
        let serving = Serving { token: task.token.clone(), run: task.run.clone() };
        let item = to_item(&keys::task_of_source(&task.owner, &task.deployment, &task.source), &serving)?;
        let condition = match before {
            None => Condition::absent(),
            Some(run) => Condition::when("#run = :run").name("#run", "run").value(":run", text(run.as_str())),
        };
        Ok(self.put(Part::Task, item, condition))
    }

    /// Lets a token be used as a credential, or, with `expires`, no longer than until then.
    pub fn task_credential(
        self,
        text: &str,
        credential: &Credential,
        expires: Option<Timestamp>,
    ) -> Result<Self, Error> {
        let item = to_item(&keys::task_credential(&sha256(text.as_bytes())), credential)?;
        let item = match expires {
            None => item,
            Some(at) => expiring(item, at),
        };
        Ok(self.put(Part::Other, item, Condition::none()))
    }

    /// Counts the end of an object, as [`Store::complete`] does.
    pub fn complete(self, task: &Held<Task>, ended: &Ended, now: Timestamp) -> Self {
        self.update(Part::Task, completed(task, ended, now))
    }

    /// Ends a task whose state and objects are as they were read, and counts it out.
    pub fn end_task(self, task: &Task, end: End, now: Timestamp, expires: Timestamp) -> Result<Self, Error> {
        let ended = Update::of(&keys::task(&task.owner, &task.token_hash()))
            .set("state", text(State::Ended.as_str()))
            .set("end", serde_dynamo::to_attribute_value(end).map_err(|e| Error::Corrupt(e.to_string()))?)
            .set("ended_at", text(now.to_string()))
            .set(EXPIRES, number(expires.as_second()))
            .remove(RUN_OWNER)
            .when("#u_state = :seen AND #run = :run AND in_flight = :in_flight AND used_at = :used_at")
            .name("#run", "run")
            .value(":seen", text(task.state.as_str()))
            .value(":run", text(task.run.as_str()))
            .value(":in_flight", number(task.in_flight))
            .value(":used_at", text(task.used_at.to_string()));
        let out = Update::of(&keys::open_tasks(&task.owner)).add("open", -1);
        Ok(self.update(Part::Task, ended).update(Part::OpenTasks, out))
    }
}

fn completed(task: &Task, ended: &Ended, now: Timestamp) -> Update {
    let (count, size) = match ended.error {
        None => ("completed_count", "completed_size"),
        Some(_) => ("failed_count", "failed_size"),
    };
    let mut update = Update::of(&keys::task(&task.owner, &task.token_hash()))
        .exclude(OBJECTS, &ended.id)
        .keeping("epoch", number(task.epoch))
        .keeping("run", text(task.run.as_str()))
        .add("in_flight", -1)
        .add(count, 1)
        .add(size, ended.bytes)
        .add_all(&ComponentSums::of(&ended.components))
        .set("used_at", text(now.to_string()))
        .when("epoch = :epoch AND #run = :run AND contains(#u_objects, :id)")
        .name("#run", "run")
        .value(":id", text(&ended.id))
        .value(":epoch", number(task.epoch))
        .value(":run", text(task.run.as_str()));
    if ended.uncounted > 0 {
        update = update.add("total_size", ended.uncounted);
    }
    if let Some(error) = &ended.error
        && task.errors.len() < tidemill_model::task::ERRORS_LIMIT
    {
        update = update.append("errors", text(error));
    }
    update
}
