//! Schedules follow their deployments.

use crate::{clients, configuration, deployment, fresh};
use std::collections::HashMap;
use std::sync::Arc;
use tidemill_aws::{Clients, SchedulerTimers, Variable};
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::schedule::Schedule;
use tidemill_operations::Timers;

/// Timers in a group of their own.
pub async fn timers(clients: Arc<Clients>) -> (SchedulerTimers, String) {
    let group = fresh("group");
    clients.scheduler().create_schedule_group().name(&group).send().await.expect("a group can be made");
    (over(clients, &group), group)
}

pub fn over(clients: Arc<Clients>, group: &str) -> SchedulerTimers {
    let settings = configuration([
        (Variable::ScheduleGroup, group),
        (Variable::SchedulerRole, "arn:aws:iam::000000000000:role/ring"),
        (Variable::TicksQueueArn, "arn:aws:sqs:eu-central-1:000000000000:ticks.fifo"),
        (Variable::SchedulesDeadLetterQueueArn, "arn:aws:sqs:eu-central-1:000000000000:dead"),
    ]);
    SchedulerTimers::new(clients, settings)
}

/// What the timers of a deployment should be.
fn wanted(timers: &SchedulerTimers, deployment: &Deployment) -> HashMap<String, bool> {
    timers.expected(deployment).into_iter().map(|timer| (timer.name, timer.rings)).collect()
}

fn changed(before: &Deployment, schedule: &str, state: State) -> Deployment {
    let schedule = Schedule::parse(schedule).unwrap();
    Deployment { schedule, state, revision: before.revision + 1, ..before.clone() }
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn schedules_follow_a_deployment_from_its_start_to_its_end() {
    let (timers, _) = timers(clients().await).await;
    let added = deployment("p", "*/5 * * * *");
    let at = added.created_at;
    let moved = changed(&added, "0 7 13 * fri", State::Active);
    let paused = changed(&moved, "0 7 13 * fri", State::Paused { note: None, at });
    let resumed = changed(&paused, "0 7 13 * fri", State::Active);
    let by_hand = changed(&resumed, "manual", State::Active);
    let back = changed(&by_hand, "@hourly", State::Active);
    let removed = changed(&back, "@hourly", State::Removed { at });

    for (step, halves) in [(added, 1), (moved, 2), (paused, 2), (resumed, 2), (by_hand, 0), (back, 1), (removed, 0)] {
        timers.follow(&step).await.unwrap();
        let found = timers.all().await.unwrap();
        assert_eq!(found, wanted(&timers, &step), "revision {}", step.revision);
        assert_eq!(found.len(), halves, "revision {}", step.revision);
    }
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn following_again_after_a_lost_answer_makes_the_same_schedule() {
    let (timers, _) = timers(clients().await).await;
    let added = deployment("p", "*/5 * * * *");

    timers.follow(&added).await.unwrap();
    // The second finds a conflict, for a first revision expects nothing to be there.
    timers.follow(&added).await.unwrap();

    assert_eq!(timers.all().await.unwrap(), wanted(&timers, &added));
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn a_schedule_says_what_scheduler_needs() {
    let clients = clients().await;
    let (timers, group) = timers(clients.clone()).await;
    let added = deployment("p", "0 7 * * mon-fri");

    timers.follow(&added).await.unwrap();

    let name = &timers.expected(&added)[0].name;
    let found = clients.scheduler().get_schedule().group_name(group).name(name).send().await.unwrap();
    assert_eq!(found.schedule_expression(), Some("cron(0 7 ? * MON-FRI *)"));
    assert_eq!(found.flexible_time_window().unwrap().mode().as_str(), "OFF");
    let target = found.target().unwrap();
    assert!(target.input().unwrap().contains("\"<aws.scheduler.scheduled-time>\""), "{:?}", target.input());
    assert!(target.sqs_parameters().unwrap().message_group_id().is_some());
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn what_is_gone_already_is_deleted_without_a_fuss() {
    let (timers, _) = timers(clients().await).await;

    timers.delete("never-there").await.unwrap();
}
