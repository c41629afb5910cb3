//! Bells in SQS FIFO queues: in order, one at a time for each deployment, and folded.

use crate::{clients, configuration, fresh, owner, project};
use aws_sdk_sqs::types::QueueAttributeName;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidemill_aws::{Clients, SqsQueue, Variable};
use tidemill_model::ids::RunId;
use tidemill_operations::{Bell, Clock, Queue, QueueKind};

/// A clock that stands still until it is set.
struct Still(Mutex<Timestamp>);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn uptime(&self) -> Duration {
        Duration::ZERO
    }
}

struct Bells {
    clients: Arc<Clients>,
    url: String,
    queue: SqsQueue,
    clock: Arc<Still>,
}

impl Bells {
    /// A queue as the template makes the one of runs.
    async fn new() -> Bells {
        let clients = clients().await;
        let attributes = HashMap::from([
            (QueueAttributeName::FifoQueue, "true".to_owned()),
            (QueueAttributeName::DeduplicationScope, "messageGroup".to_owned()),
            (QueueAttributeName::FifoThroughputLimit, "perMessageGroupId".to_owned()),
        ]);
        let request = clients.sqs().create_queue().queue_name(format!("{}.fifo", fresh("runs")));
        let made = request.set_attributes(Some(attributes)).send().await.expect("a queue can be made");
        let url = made.queue_url.expect("it has a URL");
        let clock = Arc::new(Still(Mutex::new("2026-03-02T10:00:30Z".parse().unwrap())));
        let settings =
            configuration([(Variable::Queue(QueueKind::Runs), &url), (Variable::Queue(QueueKind::Ticks), &url)]);
        let queue = SqsQueue::new(clients.clone(), settings, clock.clone());
        Bells { clients, url, queue, clock }
    }

    async fn ring(&self, bell: &Bell) {
        self.queue.ring(bell.clone(), Duration::ZERO).await.unwrap();
    }

    /// What is received now: receipts and bells.
    async fn received(&self) -> Vec<(String, Bell)> {
        let request = self.clients.sqs().receive_message().queue_url(&self.url).max_number_of_messages(10);
        let messages = request.send().await.unwrap().messages.unwrap_or_default();
        let read = messages.into_iter().map(|message| {
            let bell = serde_json::from_str(&message.body.unwrap()).unwrap();
            (message.receipt_handle.unwrap(), bell)
        });
        read.collect()
    }
}

fn run(name: &str, number: u128) -> Bell {
    let at: Timestamp = "2026-03-02T10:00:30Z".parse().unwrap();
    Bell::Run { owner: owner("ana"), deployment: project(name).into(), run: RunId::new(at, number) }
}

fn bells(received: &[(String, Bell)]) -> Vec<Bell> {
    received.iter().map(|(_, bell)| bell.clone()).collect()
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn bells_of_one_deployment_come_in_order() {
    let queue = Bells::new().await;
    let rung: Vec<Bell> = (0..5).map(|number| run("p", number)).collect();

    for bell in &rung {
        queue.ring(bell).await;
    }

    assert_eq!(bells(&queue.received().await), rung);
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn while_one_bell_is_in_hand_the_others_of_its_deployment_wait() {
    let queue = Bells::new().await;
    queue.ring(&run("p", 1)).await;
    let in_hand = queue.received().await;
    queue.ring(&run("p", 2)).await;
    queue.ring(&run("q", 1)).await;

    assert_eq!(bells(&queue.received().await), [run("q", 1)]);

    let request = queue.clients.sqs().delete_message().queue_url(&queue.url);
    request.receipt_handle(&in_hand[0].0).send().await.unwrap();
    assert_eq!(bells(&queue.received().await), [run("p", 2)]);
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn a_bell_is_folded_within_its_minute_and_rings_again_in_the_next() {
    let queue = Bells::new().await;
    queue.ring(&run("p", 1)).await;
    queue.ring(&run("p", 1)).await;
    assert_eq!(queue.received().await.len(), 1);
    let mut clock = queue.clock.0.lock().unwrap().to_owned();

    clock += SignedDuration::from_mins(1);
    *queue.clock.0.lock().unwrap() = clock;
    queue.ring(&run("p", 1)).await;

    let waiting = queue.clients.sqs().get_queue_attributes().queue_url(&queue.url);
    let counted = waiting.attribute_names(QueueAttributeName::ApproximateNumberOfMessages).send().await.unwrap();
    let counted = counted.attributes.unwrap();
    assert_eq!(counted[&QueueAttributeName::ApproximateNumberOfMessages], "1");
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn a_bell_that_rings_again_does_not_wait_behind_what_a_dead_worker_holds() {
    let queue = Bells::new().await;
    queue.ring(&run("p", 1)).await;
    let _held_by_the_dead = queue.received().await;

    queue.queue.ring_again(run("p", 1)).await.unwrap();
    queue.queue.ring_again(run("p", 1)).await.unwrap();

    assert_eq!(bells(&queue.received().await), [run("p", 1)], "folded within its minute");
}
