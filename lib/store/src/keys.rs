//! The whole table.
//!
//! | partition key          | sort key                             | item                                               |
//! |------------------------|--------------------------------------|----------------------------------------------------|
//! | `META`                 | `LAYOUT`                             | the layout of the table, and its least reader      |
//! | `META`                 | `SWEEP`                              | where the next sweep goes on                       |
//! | `OWNERS`               | `owner`                              | an owner                                           |
//! | `O#owner`              | `deployment#project`                 | a deployment, or its tombstone                     |
//! | `O#owner`              | `deployment#project␁environment␁source` | how an environment runs a source                |
//! | `O#owner`              | `environment#environment␁project`    | an environment of a project                        |
//! | `O#owner`              | `notice#ulid`                        | that an environment changed, 10 min                |
//! | `O#owner`              | `key#key id`                         | a key, as its owner sees it                        |
//! | `O#owner`              | `secret#name`                        | a secret, encrypted                                |
//! | `O#owner`              | `idempotency#operation#sha256`       | the answer to an idempotency key, 24 h             |
//! | `O#owner`              | `task#sha256 of the token`           | a task                                             |
//! | `O#owner`              | `serving#sha256 of the source`       | the task that serves a project's source            |
//! | `O#owner`              | `TASKS`                              | how many tasks are open                            |
//! | `O#owner`              | `group#group`                        | a group, with its active rollout                   |
//! | `O#owner`              | `member#sha256 of both names`        | a member of a group                                |
//! | `O#owner`              | `rollout#rollout id`                 | a rollout, 30 days                                 |
//! | `R#rollout id`         | `resource#0000000000`                | what a rollout did with a resource                 |
//! | `R#rollout id`         | `body#sha256#0000`                   | a chunk of a rollout's request                     |
//! | `K#sha256 of the key`  | `KEY`                                | the same key, as a request finds it                |
//! | `K#sha256 of the token`| `TASK`                               | the task whose credential a token is               |
//! | `STRANGERS`            | `address␁connection`                 | a WebSocket without a login                        |
//! | `C#connection`         | `CONNECTION`                         | the login of a WebSocket of API Gateway            |
//! | `W#owner`              | `watcher#connection`                 | what such a WebSocket watches, and was sent last   |
//! | `W#owner`              | `BELL`                               | whether watchers wait for something                |
//! | `H#hook`               | `HOOK`                               | the project of a hook                              |
//! | `P#owner#project`      | `version#0000000001`                 | a version                                          |
//! | `P#owner#project`      | `body#sha256#0000`                   | a chunk of a body: pipeline, plan                  |
//! | `P#owner#project`      | `run-body#sha256#0000`               | a chunk of what runs took or gave, 31 days         |
//! | `P#owner#project`      | `run#run id`                         | a run, unless its deployment still carries it; also a tick's outcome, if the tick made it |
//! | `P#owner#project`      | `log#run id#0000000001`              | a chunk of a run's log                             |
//! | `P#owner#project`      | `trace#run id#0000000001`            | events of an object, or of a step, 1 h             |
//! | `P#owner#project`      | `checkpoint#run id`                  | a run's checkpoint                                 |
//! | `P#owner#project`      | `checkpoint-body#run id#sha256#0000` | a chunk of a checkpoint that one item cannot hold  |
//! | `P#owner#project`      | `tick#0001767225600000`              | a stretch of ticks without a run, by the first (ms) |
//! | `P#owner#project`      | `seen#component#key`                 | a key of `dedupe` or `changed`, what is remembered |
//! | `P#owner#project`      | `audit#ulid`                         | an audit row                                       |
//! | `P#owner#project`      | `environment-audit#ulid`             | an audit row of an environment                     |
//!
//! Owners hold no `#`, so no two partitions can be mixed up whatever a project is called. No name holds the control
//! character U+0001 (`␁`), so no project can be taken for an environment's source. Such a source has a partition of its own
//! for its runs, its ticks and what else a run leaves behind, `P#owner#project␁environment␁source`; versions and bodies
//! are the project's. Attribute `expires` (seconds
//! since 1970) is the table's time to live. The one index, `runs-by-owner`, has the hash key `ro` and the table's sort
//! key, keys only. Under the owner it has their runs: it finds one by its id alone and lists them. Under `open#owner` it
//! has what is open: tasks until they end.

use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use tidemill_model::deployment_id::{DeploymentId, EnvironmentSource};
use tidemill_model::ids::{
    ConnectionId, EnvironmentName, GroupName, HookId, KeyId, LogicalId, OwnerId, ProjectId, RolloutId, RunId,
    SecretName,
};
use tidemill_model::version::sha256;

pub const PARTITION: &str = "pk";
pub const SORT: &str = "sk";
pub const EXPIRES: &str = "expires";
pub const RUN_OWNER: &str = "ro";
pub const RUNS_BY_OWNER: &str = "runs-by-owner";

/// Where an item is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub partition: String,
    pub sort: String,
}

impl Key {
    fn new(partition: String, sort: impl Into<String>) -> Key {
        Key { partition, sort: sort.into() }
    }

    pub(crate) fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (PARTITION.to_owned(), AttributeValue::S(self.partition.clone())),
            (SORT.to_owned(), AttributeValue::S(self.sort.clone())),
        ])
    }
}

pub(crate) fn layout() -> Key {
    Key::new("META".to_owned(), "LAYOUT")
}

pub(crate) fn sweep() -> Key {
    Key::new("META".to_owned(), "SWEEP")
}

/// What the index has an owner's open tasks under. Owners hold no `#`, so it is no owner's.
pub fn open_index(owner: &OwnerId) -> String {
    format!("open#{owner}")
}

pub const OWNERS: &str = "OWNERS";

pub fn owner_partition(owner: &OwnerId) -> String {
    format!("O#{owner}")
}

/// Separates the names of an environment's source. No name holds a control character.
const SEPARATOR: char = '\u{1}';

/// A deployment's name in keys, which no other deployment of the owner has.
pub fn spelled(deployment: &DeploymentId) -> String {
    match deployment {
        DeploymentId::Project(project) => project.to_string(),
        DeploymentId::Source(EnvironmentSource { project, environment, source, .. }) => {
            format!("{project}{SEPARATOR}{environment}{SEPARATOR}{source}")
        }
    }
}

/// Where the runs and ticks of a deployment are.
pub fn deployment_partition(owner: &OwnerId, deployment: &DeploymentId) -> String {
    format!("P#{owner}#{}", spelled(deployment))
}

/// Where the versions and bodies of a project are, for all of its environments.
pub fn project_partition(owner: &OwnerId, project: &ProjectId) -> String {
    format!("P#{owner}#{project}")
}

pub fn owner(owner: &OwnerId) -> Key {
    Key::new(OWNERS.to_owned(), owner.as_str())
}

pub const DEPLOYMENTS: &str = "deployment#";

pub fn deployment(owner: &OwnerId, id: &DeploymentId) -> Key {
    Key::new(owner_partition(owner), deployment_sort(id))
}

pub fn deployment_sort(id: &DeploymentId) -> String {
    format!("{DEPLOYMENTS}{}", spelled(id))
}

/// What the deployments of a project's sources begin with, those of one environment.
pub fn sources_of_environment(project: &ProjectId, environment: &EnvironmentName) -> String {
    format!("{}{environment}{SEPARATOR}", sources_of_project(project))
}

/// The same of all environments.
pub fn sources_of_project(project: &ProjectId) -> String {
    format!("{DEPLOYMENTS}{project}{SEPARATOR}")
}

pub const ENVIRONMENTS: &str = "environment#";

/// By the name first: so the projects of one environment stand together, and the names can be listed one by one.
pub fn environments(name: &EnvironmentName) -> String {
    format!("{ENVIRONMENTS}{name}{SEPARATOR}")
}

pub fn environment(owner: &OwnerId, project: &ProjectId, name: &EnvironmentName) -> Key {
    Key::new(owner_partition(owner), format!("{}{}", environments(name), project.as_str()))
}

pub const NOTICES: &str = "notice#";

pub fn notice(owner: &OwnerId, id: &str) -> Key {
    Key::new(owner_partition(owner), format!("{NOTICES}{id}"))
}

pub const KEYS: &str = "key#";

pub fn key(owner: &OwnerId, id: &KeyId) -> Key {
    Key::new(owner_partition(owner), format!("{KEYS}{id}"))
}

pub fn key_by_hash(hash: &str) -> Key {
    Key::new(format!("K#{hash}"), "KEY")
}

pub const SECRETS: &str = "secret#";

pub fn secret(owner: &OwnerId, name: &SecretName) -> Key {
    Key::new(owner_partition(owner), format!("{SECRETS}{name}"))
}

pub fn idempotency(owner: &OwnerId, operation: &str, sha256: &str) -> Key {
    Key::new(owner_partition(owner), format!("idempotency#{operation}#{sha256}"))
}

pub const TASKS: &str = "task#";

pub fn task(owner: &OwnerId, hash: &str) -> Key {
    Key::new(owner_partition(owner), format!("{TASKS}{hash}"))
}

pub fn task_of_source(owner: &OwnerId, deployment: &DeploymentId, source: &str) -> Key {
    // Projects hold no control characters, so no two pairs have one text.
    let name = sha256(format!("{}\0{source}", spelled(deployment)).as_bytes());
    Key::new(owner_partition(owner), format!("serving#{name}"))
}

pub fn open_tasks(owner: &OwnerId) -> Key {
    Key::new(owner_partition(owner), "TASKS")
}

pub const GROUPS: &str = "group#";

pub fn group(owner: &OwnerId, name: &GroupName) -> Key {
    Key::new(owner_partition(owner), format!("{GROUPS}{name}"))
}

/// Names may be as long as a key, so a member's key holds the hashes of both of its names.
pub fn members(group: &GroupName) -> String {
    format!("member#{}#", &sha256(group.as_str().as_bytes())[..32])
}

pub fn member(owner: &OwnerId, group: &GroupName, logical_id: &LogicalId) -> Key {
    let name = sha256(logical_id.as_str().as_bytes());
    Key::new(owner_partition(owner), format!("{}{}", members(group), &name[..32]))
}

pub const ROLLOUTS: &str = "rollout#";

pub fn rollout(owner: &OwnerId, id: &RolloutId) -> Key {
    Key::new(owner_partition(owner), format!("{ROLLOUTS}{id}"))
}

/// Where the parts of a rollout are.
pub fn rollout_partition(id: &RolloutId) -> String {
    format!("R#{id}")
}

pub fn resource(id: &RolloutId, index: u32) -> Key {
    Key::new(rollout_partition(id), format!("resource#{index:010}"))
}

pub fn task_credential(hash: &str) -> Key {
    Key::new(format!("K#{hash}"), "TASK")
}

pub const STRANGERS: &str = "STRANGERS";

/// What the strangers of an address begin with. No address holds a control character.
pub fn strangers_of(address: &str) -> String {
    format!("{address}{SEPARATOR}")
}

pub fn stranger(address: &str, connection: &ConnectionId) -> Key {
    Key::new(STRANGERS.to_owned(), format!("{}{connection}", strangers_of(address)))
}

pub fn socket(connection: &ConnectionId) -> Key {
    Key::new(format!("C#{connection}"), "CONNECTION")
}

pub const WATCHERS: &str = "watcher#";

pub fn watchers(owner: &OwnerId) -> String {
    format!("W#{owner}")
}

pub fn watcher(owner: &OwnerId, connection: &ConnectionId) -> Key {
    Key::new(watchers(owner), format!("{WATCHERS}{connection}"))
}

pub fn watching(owner: &OwnerId) -> Key {
    Key::new(watchers(owner), "BELL")
}

pub fn hook(hook: &HookId) -> Key {
    Key::new(format!("H#{hook}"), "HOOK")
}

pub const VERSIONS: &str = "version#";

pub fn version(owner: &OwnerId, project: &ProjectId, number: u32) -> Key {
    Key::new(project_partition(owner, project), format!("{VERSIONS}{number:010}"))
}

/// Bodies that versions and rollouts name.
pub const BODIES: &str = "body#";
/// Bodies that runs alone name. They are kept apart because they expire, and a run may be handed the text of a pipeline.
pub const RUN_BODIES: &str = "run-body#";

pub fn body_chunks(bodies: &str, sha256: &str) -> String {
    format!("{bodies}{sha256}#")
}

pub fn body_chunk(partition: String, bodies: &str, sha256: &str, chunk: usize) -> Key {
    Key::new(partition, format!("{}{chunk:04}", body_chunks(bodies, sha256)))
}

pub const RUNS: &str = "run#";

pub fn run(owner: &OwnerId, deployment: &DeploymentId, run: &RunId) -> Key {
    Key::new(deployment_partition(owner, deployment), format!("{RUNS}{run}"))
}

pub fn log_chunks(run: &RunId) -> String {
    format!("log#{run}#")
}

pub fn log_chunk(owner: &OwnerId, deployment: &DeploymentId, run: &RunId, chunk: u32) -> Key {
    Key::new(deployment_partition(owner, deployment), format!("{}{chunk:010}", log_chunks(run)))
}

pub fn traces(run: &RunId) -> String {
    format!("trace#{run}#")
}

pub fn trace(owner: &OwnerId, deployment: &DeploymentId, run: &RunId, number: u64) -> Key {
    Key::new(deployment_partition(owner, deployment), format!("{}{number:010}", traces(run)))
}

pub fn checkpoint(owner: &OwnerId, deployment: &DeploymentId, run: &RunId) -> Key {
    Key::new(deployment_partition(owner, deployment), format!("checkpoint#{run}"))
}

/// What the bodies of a run's large checkpoints begin with.
pub fn checkpoint_bodies(run: &RunId) -> String {
    format!("checkpoint-body#{run}#")
}

pub const TICKS: &str = "tick#";

/// Sort keys of ticks sort as the ticks do: milliseconds in sixteen digits.
pub fn tick_sort(at: jiff::Timestamp) -> String {
    format!("{TICKS}{:016}", at.as_millisecond().max(0))
}

pub fn tick(owner: &OwnerId, deployment: &DeploymentId, first: jiff::Timestamp) -> Key {
    Key::new(deployment_partition(owner, deployment), tick_sort(first))
}

pub fn seen(owner: &OwnerId, deployment: &DeploymentId, component: &str, key: &str) -> Key {
    Key::new(deployment_partition(owner, deployment), format!("seen#{component}#{key}"))
}

pub const AUDIT: &str = "audit#";

pub fn audit(owner: &OwnerId, deployment: &DeploymentId, id: &str) -> Key {
    Key::new(deployment_partition(owner, deployment), format!("{AUDIT}{id}"))
}

pub const ENVIRONMENT_AUDIT: &str = "environment-audit#";

pub fn environment_audit(owner: &OwnerId, project: &ProjectId, id: &str) -> Key {
    Key::new(project_partition(owner, project), format!("{ENVIRONMENT_AUDIT}{id}"))
}
