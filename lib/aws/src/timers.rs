//! Timers as EventBridge schedules: one for each deployment, or two where its schedule takes two expressions. Their
//! names follow from owner and project, so that setting one again finds the one that is there.

use crate::clients::Clients;
use crate::configuration::{Configuration, Variable};
use crate::queue::group;
use aws_sdk_scheduler::error::{DisplayErrorContext, SdkError};
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, SqsParameters, Target};
use futures::future::BoxFuture;
use serde_json::json;
use std::sync::Arc;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_model::schedule::EventBridge;
use tidemill_model::version::sha256;
use tidemill_operations::{Error, Timers};

/// What the names of a deployment's schedules may end in.
const SUFFIXES: [&str; 2] = ["d", "w"];
/// Characters of the hash in a name. With the suffix it stays below the 64 that a name may have.
const HASH_LENGTH: usize = 60;
/// How long Scheduler tries to deliver one firing, in seconds. A later one is caught up from the table.
const RETRY_AGE: i32 = 3600;

/// Follows deployments with schedules of one group.
pub struct SchedulerTimers {
    clients: Arc<Clients>,
    configuration: Arc<Configuration>,
}

impl SchedulerTimers {
    pub fn new(clients: Arc<Clients>, configuration: Arc<Configuration>) -> SchedulerTimers {
        SchedulerTimers { clients, configuration }
    }

    async fn set(&self, deployment: &Deployment) -> Result<(), Error> {
        let wanted = deployment.schedule.eventbridge();
        for schedule in &wanted {
            self.put(deployment, schedule).await?;
        }
        // A project that was never there before has nothing to be cleared away.
        if deployment.revision == 1 {
            return Ok(());
        }
        for suffix in unwanted(&wanted) {
            self.delete(&name(&deployment.owner, &deployment.project, suffix)).await?;
        }
        Ok(())
    }

    /// Creates a schedule; one that is there already is made the same.
    async fn put(&self, deployment: &Deployment, schedule: &EventBridge) -> Result<(), Error> {
        let name = name(&deployment.owner, &deployment.project, schedule.suffix);
        let group = self.configuration.get(Variable::ScheduleGroup)?;
        let target = self.target(deployment)?;
        let created = self
            .clients
            .scheduler()
            .create_schedule()
            .name(&name)
            .group_name(group)
            .schedule_expression(&schedule.expression)
            .schedule_expression_timezone(&schedule.timezone)
            .flexible_time_window(on_time()?)
            .target(target.clone())
            .send()
            .await;
        match created {
            Ok(_) => return Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conflict_exception()) => {}
            Err(error) => return Err(failed(error)),
        }
        let updated = self
            .clients
            .scheduler()
            .update_schedule()
            .name(&name)
            .group_name(group)
            .schedule_expression(&schedule.expression)
            .schedule_expression_timezone(&schedule.timezone)
            .flexible_time_window(on_time()?)
            .target(target)
            .send()
            .await;
        updated.map(drop).map_err(failed)
    }

    /// The queue of ticks. The body is the same for both schedules of a deployment, so that the queue folds a minute
    /// in which both fire.
    fn target(&self, deployment: &Deployment) -> Result<Target, Error> {
        let Deployment { owner, project, .. } = deployment;
        let input = json!({
            "bell": "tick",
            "owner": owner,
            "project": project,
            "scheduled_time": "<aws.scheduler.scheduled-time>",
        });
        Target::builder()
            .arn(self.configuration.get(Variable::TicksQueueArn)?)
            .role_arn(self.configuration.get(Variable::SchedulerRole)?)
            .input(input.to_string())
            .sqs_parameters(SqsParameters::builder().message_group_id(group(owner, project)).build())
            .retry_policy(RetryPolicy::builder().maximum_event_age_in_seconds(RETRY_AGE).build())
            .build()
            .map_err(Error::internal)
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let group = self.configuration.get(Variable::ScheduleGroup)?;
        match self.clients.scheduler().delete_schedule().name(name).group_name(group).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn find(&self, name: &str) -> Result<Option<GetScheduleOutput>, Error> {
        let group = self.configuration.get(Variable::ScheduleGroup)?;
        match self.clients.scheduler().get_schedule().name(name).group_name(group).send().await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn is_set(&self, deployment: &Deployment) -> Result<bool, Error> {
        let wanted = deployment.schedule.eventbridge();
        for schedule in &wanted {
            let found = self.find(&name(&deployment.owner, &deployment.project, schedule.suffix)).await?;
            if !found.is_some_and(|found| is_as(&found, schedule)) {
                return Ok(false);
            }
        }
        for suffix in unwanted(&wanted) {
            if self.find(&name(&deployment.owner, &deployment.project, suffix)).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn name(owner: &OwnerId, project: &ProjectId, suffix: &str) -> String {
    let hash = sha256(format!("{owner}#{project}").as_bytes());
    format!("{}-{suffix}", &hash[..HASH_LENGTH])
}

fn unwanted(wanted: &[EventBridge]) -> impl Iterator<Item = &'static str> {
    SUFFIXES.into_iter().filter(|suffix| wanted.iter().all(|schedule| schedule.suffix != *suffix))
}

fn is_as(found: &GetScheduleOutput, wanted: &EventBridge) -> bool {
    found.schedule_expression() == Some(wanted.expression.as_str())
        && found.schedule_expression_timezone() == Some(wanted.timezone.as_str())
}

/// Scheduler may not spread the firings over a window.
fn on_time() -> Result<FlexibleTimeWindow, Error> {
    FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(Error::internal)
}

fn failed<E: std::error::Error + 'static, R: std::fmt::Debug>(error: SdkError<E, R>) -> Error {
    Error::internal(DisplayErrorContext(error))
}

impl Timers for SchedulerTimers {
    fn set<'a>(&'a self, deployment: &'a Deployment) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.set(deployment))
    }

    fn clear<'a>(&'a self, owner: &'a OwnerId, project: &'a ProjectId) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            for suffix in SUFFIXES {
                self.delete(&name(owner, project, suffix)).await?;
            }
            Ok(())
        })
    }

    fn is_set<'a>(&'a self, deployment: &'a Deployment) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(self.is_set(deployment))
    }
}
