//! Timers as EventBridge schedules: one for each deployment, or two where its schedule takes two expressions. Their
//! names hold the hash of the deployment and that of the expression, so that the listing of the group, which gives no
//! expressions, says all that the sweep must know.

use crate::clients::Clients;
use crate::configuration::{Configuration, Variable};
use crate::queue::group;
use aws_sdk_scheduler::error::{DisplayErrorContext, SdkError};
use aws_sdk_scheduler::types::{
    DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState, SqsParameters, Target,
};
use futures::future::BoxFuture;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::OwnerId;
use tidemill_model::schedule::EventBridge;
use tidemill_model::version::sha256;
use tidemill_operations::plane::Timer;
use tidemill_operations::{Bell, Error, Timers};

/// Characters of the hash of a deployment, and of that of an expression, in a name. With what joins them a name has 59
/// of the 64 characters that it may have.
const DEPLOYMENT_HASH: usize = 40;
const EXPRESSION_HASH: usize = 16;
/// How long Scheduler tries to deliver one firing, in seconds. A later one is caught up from the table.
const RETRY_AGE: i32 = 3600;
/// How often a schedule is updated that another call is changing, and how long is waited in between.
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html>
const UPDATES: u32 = 3;
const BETWEEN_UPDATES: Duration = Duration::from_millis(200);

/// Follows deployments with schedules of one group.
pub struct SchedulerTimers {
    clients: Arc<Clients>,
    configuration: Arc<Configuration>,
}

/// A schedule as it should be.
struct TimerSchedule {
    name: String,
    schedule: EventBridge,
    state: ScheduleState,
}

impl SchedulerTimers {
    pub fn new(clients: Arc<Clients>, configuration: Arc<Configuration>) -> SchedulerTimers {
        SchedulerTimers { clients, configuration }
    }

    async fn follow(&self, deployment: &Deployment) -> Result<(), Error> {
        // A project that was never there before has nothing to be found.
        let mut found = match deployment.revision {
            1 => HashMap::new(),
            _ => self.list(Some(&prefix(&deployment.owner, &deployment.id))).await?,
        };
        for wanted in wanted(deployment) {
            match found.remove(&wanted.name) {
                None => self.create(deployment, &wanted).await?,
                Some(rings) if rings == wanted.rings() => {}
                Some(_) => self.update(deployment, &wanted).await?,
            }
        }
        for name in found.keys() {
            self.delete(name).await?;
        }
        Ok(())
    }

    /// Creates a schedule; one that is there already is made the same. The SDK gives each call its client token, so a
    /// repeated request makes one schedule.
    async fn create(&self, deployment: &Deployment, wanted: &TimerSchedule) -> Result<(), Error> {
        let request = self.clients.scheduler().create_schedule();
        let created = request
            .name(&wanted.name)
            .group_name(self.configuration.get(Variable::ScheduleGroup)?)
            .schedule_expression(&wanted.schedule.expression)
            .schedule_expression_timezone(&wanted.schedule.timezone)
            .flexible_time_window(on_time()?)
            .state(wanted.state.clone())
            .target(self.target(deployment)?)
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conflict_exception()) => {
                self.update(deployment, wanted).await
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Makes a schedule that is there as it should be.
    async fn update(&self, deployment: &Deployment, wanted: &TimerSchedule) -> Result<(), Error> {
        for update in 1.. {
            let request = self.clients.scheduler().update_schedule();
            let updated = request
                .name(&wanted.name)
                .group_name(self.configuration.get(Variable::ScheduleGroup)?)
                .schedule_expression(&wanted.schedule.expression)
                .schedule_expression_timezone(&wanted.schedule.timezone)
                .flexible_time_window(on_time()?)
                .state(wanted.state.clone())
                .target(self.target(deployment)?)
                .send()
                .await;
            match updated {
                Err(error)
                    if update < UPDATES && error.as_service_error().is_some_and(|e| e.is_conflict_exception()) => {}
                updated => return updated.map(drop).map_err(failed),
            }
            tokio::time::sleep(BETWEEN_UPDATES * update).await;
        }
        unreachable!("the last update returns")
    }

    /// The queue of ticks. The body is the same for both schedules of a deployment, so that the queue folds a minute
    /// in which both fire.
    fn target(&self, deployment: &Deployment) -> Result<Target, Error> {
        let Deployment { owner, id, .. } = deployment;
        let input = json!({
            "bell": "tick",
            "owner": owner,
            "project": id,
            "scheduled_time": "<aws.scheduler.scheduled-time>",
        });
        let dead_letters = self.configuration.get(Variable::SchedulesDeadLetterQueueArn)?;
        Target::builder()
            .arn(self.configuration.get(Variable::TicksQueueArn)?)
            .role_arn(self.configuration.get(Variable::SchedulerRole)?)
            .input(input.to_string())
            .sqs_parameters(SqsParameters::builder().message_group_id(group(&tick(owner, id))).build())
            .retry_policy(RetryPolicy::builder().maximum_event_age_in_seconds(RETRY_AGE).build())
            .dead_letter_config(DeadLetterConfig::builder().arn(dead_letters).build())
            .build()
            .map_err(Error::internal)
    }

    /// Whether each schedule whose name begins with `prefix` rings.
    async fn list(&self, prefix: Option<&str>) -> Result<HashMap<String, bool>, Error> {
        let request = self.clients.scheduler().list_schedules();
        let request = request.group_name(self.configuration.get(Variable::ScheduleGroup)?);
        let mut pages = request.set_name_prefix(prefix.map(str::to_owned)).into_paginator().send();
        let mut found = HashMap::new();
        while let Some(page) = pages.next().await {
            for schedule in page.map_err(failed)?.schedules {
                let rings = schedule.state == Some(ScheduleState::Enabled);
                found.extend(schedule.name.map(|name| (name, rings)));
            }
        }
        Ok(found)
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let group = self.configuration.get(Variable::ScheduleGroup)?;
        match self.clients.scheduler().delete_schedule().name(name).group_name(group).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

impl TimerSchedule {
    fn rings(&self) -> bool {
        self.state == ScheduleState::Enabled
    }
}

/// The schedules that a deployment should have.
fn wanted(deployment: &Deployment) -> Vec<TimerSchedule> {
    let state = match deployment.state {
        State::Active => ScheduleState::Enabled,
        State::Paused { .. } | State::Errored { .. } => ScheduleState::Disabled,
        State::Removed { .. } => return Vec::new(),
    };
    let prefix = prefix(&deployment.owner, &deployment.id);
    let wanted = |schedule: EventBridge| {
        let expression = sha256(format!("{} {}", schedule.expression, schedule.timezone).as_bytes());
        let name = format!("{prefix}{}-{}", &expression[..EXPRESSION_HASH], schedule.suffix);
        TimerSchedule { name, schedule, state: state.clone() }
    };
    deployment.schedule.eventbridge().into_iter().map(wanted).collect()
}

/// What a deployment's schedules ring.
fn tick(owner: &OwnerId, id: &DeploymentId) -> Bell {
    Bell::Tick { owner: owner.clone(), deployment: id.clone() }
}

/// What the names of a deployment's schedules begin with.
fn prefix(owner: &OwnerId, id: &DeploymentId) -> String {
    format!("{}-", &group(&tick(owner, id))[..DEPLOYMENT_HASH])
}

/// Scheduler may not spread the firings over a window.
fn on_time() -> Result<FlexibleTimeWindow, Error> {
    FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(Error::internal)
}

fn failed<E: std::error::Error + 'static, R: std::fmt::Debug>(error: SdkError<E, R>) -> Error {
    Error::internal(DisplayErrorContext(error).to_string())
}

impl Timers for SchedulerTimers {
    fn follow<'a>(&'a self, deployment: &'a Deployment) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.follow(deployment))
    }

    fn expected(&self, deployment: &Deployment) -> Vec<Timer> {
        wanted(deployment).into_iter().map(|wanted| Timer { rings: wanted.rings(), name: wanted.name }).collect()
    }

    fn all(&self) -> BoxFuture<'_, Result<HashMap<String, bool>, Error>> {
        Box::pin(self.list(None))
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.delete(name))
    }
}
