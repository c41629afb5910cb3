//! The plane of one Lambda, from its environment. A function is given just the names that it uses, so a name is asked
//! for where it is used, and one that is missing fails that call alone.

use crate::cipher::KmsCipher;
use crate::clients::Clients;
use crate::gateway_sockets::ApiGatewaySockets;
use crate::queue::SqsQueue;
use crate::timers::SchedulerTimers;
use std::collections::HashMap;
use std::sync::Arc;
use tidemill_engine::{Host, InProcess, NetworkPolicy, Outbound};
use tidemill_model::calendar::Calendar;
use tidemill_operations::bell::QueueKind;
use tidemill_operations::plane::{Memory, Workers, layout};
use tidemill_operations::{Ambient, Error, Plane, SystemAmbient};
use tidemill_store::Store;

/// What the template gives a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    Table,
    /// The URL of a queue.
    Queue(QueueKind),
    /// The ARN of the queue of ticks, which Scheduler sends to.
    TicksQueueArn,
    ScheduleGroup,
    /// The ARN of the role that Scheduler sends with.
    SchedulerRole,
    /// The ARN of the queue that Scheduler leaves in what it could not deliver.
    SchedulesDeadLetterQueueArn,
    /// The ARN of the key that seals secrets.
    KmsKey,
    /// Where the WebSocket API takes what is to be sent.
    SocketsUrl,
}

impl Variable {
    pub const ALL: [Variable; 11] = [
        Variable::Table,
        Variable::Queue(QueueKind::Runs),
        Variable::Queue(QueueKind::Ticks),
        Variable::Queue(QueueKind::Rollouts),
        Variable::Queue(QueueKind::Sockets),
        Variable::TicksQueueArn,
        Variable::ScheduleGroup,
        Variable::SchedulerRole,
        Variable::SchedulesDeadLetterQueueArn,
        Variable::KmsKey,
        Variable::SocketsUrl,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Variable::Table => "TIDEMILL_TABLE",
            Variable::Queue(QueueKind::Runs) => "TIDEMILL_RUNS_QUEUE",
            Variable::Queue(QueueKind::Ticks) => "TIDEMILL_TICKS_QUEUE",
            Variable::Queue(QueueKind::Rollouts) => "TIDEMILL_ROLLOUTS_QUEUE",
            Variable::Queue(QueueKind::Sockets) => "TIDEMILL_SOCKETS_QUEUE",
            Variable::TicksQueueArn => "TIDEMILL_TICKS_QUEUE_ARN",
            Variable::ScheduleGroup => "TIDEMILL_SCHEDULE_GROUP",
            Variable::SchedulerRole => "TIDEMILL_SCHEDULER_ROLE",
            Variable::SchedulesDeadLetterQueueArn => "TIDEMILL_SCHEDULES_DEAD_LETTER_QUEUE_ARN",
            Variable::KmsKey => "TIDEMILL_KMS_KEY",
            Variable::SocketsUrl => "TIDEMILL_SOCKETS_URL",
        }
    }
}

/// The variables that are set.
#[derive(Clone, Debug, Default)]
pub struct Configuration(HashMap<Variable, String>);

impl Configuration {
    pub fn from_environment() -> Configuration {
        let set = |variable: Variable| Some((variable, std::env::var(variable.name()).ok()?));
        Variable::ALL.into_iter().filter_map(set).collect()
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// The template does not give it to this function: a fault of the template.
    pub fn get(&self, variable: Variable) -> Result<&str, Error> {
        let value = self.0.get(&variable).map(String::as_str).filter(|value| !value.is_empty());
        value.ok_or_else(|| Error::internal(format!("the environment variable `{}` is not set", variable.name())))
    }
}

impl FromIterator<(Variable, String)> for Configuration {
    fn from_iter<I: IntoIterator<Item = (Variable, String)>>(variables: I) -> Configuration {
        Configuration(variables.into_iter().collect())
    }
}

/// Builds the plane of a Lambda.
///
/// # Errors
/// No table is named, or there are no root certificates.
pub fn plane(configuration: Arc<Configuration>, clients: Arc<Clients>) -> Result<Plane, Error> {
    let ambient: Arc<dyn Ambient> = Arc::new(SystemAmbient);
    let outbound = Outbound::new(NetworkPolicy::Public).map_err(Error::internal)?;
    Ok(Plane {
        store: Store::new(clients.dynamodb(), configuration.get(Variable::Table)?),
        timers: Arc::new(SchedulerTimers::new(clients.clone(), configuration.clone())),
        queue: Arc::new(SqsQueue::new(clients.clone(), configuration.clone(), ambient.clone())),
        cipher: Arc::new(KmsCipher::new(clients.clone(), configuration.clone())),
        sockets: Some(Arc::new(ApiGatewaySockets::new(clients, configuration))),
        calendar: Calendar::default(),
        engine: Arc::new(InProcess::on(tokio::runtime::Handle::current())),
        host: Arc::new(Host { folders: None, outbound }),
        kind: tidemill_model::key::KeyKind::Live,
        workers: Workers { me: ambient.run_id().to_string(), since: ambient.now(), alone: false },
        ambient,
        memory: Memory::default(),
    })
}

/// Builds the plane of a process that stays: one front of the same table and queues.
///
/// # Errors
/// As [`plane()`], or the table belongs to a newer version.
pub async fn plane_of_host() -> Result<Plane, Error> {
    let clients = Arc::new(Clients::of_host().await);
    let plane = plane(Arc::new(Configuration::from_environment()), clients)?;
    layout::check(&plane).await?;
    Ok(plane)
}

#[cfg(test)]
mod tests {
    use super::Variable;
    use std::collections::BTreeSet;

    #[test]
    fn the_template_sets_the_variables_that_are_read_and_no_others() {
        let template = include_str!("../../../template.yaml");
        let keys = template.lines().filter_map(|line| line.trim().split_once(':')).map(|(key, _)| key);
        let set: BTreeSet<_> = keys.filter(|key| key.starts_with("TIDEMILL_")).collect();

        assert_eq!(set, Variable::ALL.map(Variable::name).into());
    }
}
