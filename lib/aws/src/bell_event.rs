//! SQS events: each message is a bell, or is refused until the queue gives it up.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>

use crate::clients::Clients;
use crate::configuration::{Configuration, Variable};
use crate::visibility::HeldMessage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use tidemill_operations::bell::{BellOutcome, QueueKind};
use tidemill_operations::lease::LEASE_OVER;
use tidemill_operations::{Bell, Error, Plane};
use tidemill_protocols::functions::BellHandler;

/// How long before the function's deadline a run is asked to stop after its next save.
const HANDOVER: Duration = Duration::from_secs(60);
/// When a bell that failed rings again.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// The longest that it waits, before chance adds up to half of that.
const LONGEST_AFTER_FAILURE: Duration = Duration::from_secs(120);

#[derive(Debug, Deserialize)]
pub struct BellEvent {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    receipt_handle: String,
    body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Debug, Default, Deserialize)]
struct Attributes {
    /// How often the message was received, this time included.
    #[serde(rename = "ApproximateReceiveCount")]
    received: Option<String>,
    /// Whose order counts.
    #[serde(rename = "MessageGroupId")]
    group: Option<String>,
}

/// Which messages are to come again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

#[derive(Deserialize)]
struct Message {
    #[serde(flatten)]
    bell: Bell,
    /// The minute that Scheduler fired for; absent where the plane rang by itself.
    scheduled_time: Option<String>,
}

/// Answers the bells of one queue.
pub struct Receiver {
    pub plane: Arc<Plane>,
    pub clients: Arc<Clients>,
    pub configuration: Arc<Configuration>,
    pub queue: QueueKind,
    pub handle: BellHandler,
}

impl Receiver {
    /// Answers the bells of each group one after the other, and the groups side by side. From the first of a group that is to come
    /// again on, all of that group are: their order holds.
    pub async fn receive(&self, event: BellEvent, deadline: SystemTime) -> Result<BatchAnswer, Error> {
        let mut groups: BTreeMap<Option<String>, Vec<Record>> = BTreeMap::new();
        for record in event.records {
            groups.entry(record.attributes.group.clone()).or_default().push(record);
        }
        let failures = groups.into_values().map(|records| self.failures(records, deadline));
        let failures: Vec<Vec<Failure>> = futures::future::try_join_all(failures).await?;
        Ok(BatchAnswer { batch_item_failures: failures.into_iter().flatten().collect() })
    }

    async fn failures(&self, records: Vec<Record>, deadline: SystemTime) -> Result<Vec<Failure>, Error> {
        let mut failures = Vec::new();
        for record in records {
            if !failures.is_empty() || self.comes_again(&record, deadline).await? {
                failures.push(Failure { item_identifier: record.message_id });
            }
        }
        Ok(failures)
    }

    async fn comes_again(&self, record: &Record, deadline: SystemTime) -> Result<bool, Error> {
        let held = HeldMessage {
            clients: self.clients.clone(),
            queue_url: self.configuration.get(Variable::Queue(self.queue))?.to_owned(),
            receipt: record.receipt_handle.clone(),
        };
        let message: Message = match serde_json::from_str(&record.body) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(%error, message.id = record.message_id, "a message is not a bell");
                held.hide_for(Duration::ZERO).await;
                return Ok(true);
            }
        };
        let again = match self.answer(&held, message, deadline).await {
            Ok(BellOutcome::Done) => return Ok(false),
            Ok(BellOutcome::RingAgain(delay)) => delay,
            Err(error) => {
                tracing::error!(
                    error = error.with_causes(),
                    message.id = record.message_id,
                    "a bell was not answered and rings again"
                );
                after_failure(self.queue, record.received(), self.plane.ambient.jitter())
            }
        };
        held.hide_for(again).await;
        Ok(true)
    }

    async fn answer(&self, held: &HeldMessage, message: Message, deadline: SystemTime) -> Result<BellOutcome, Error> {
        let rang_for = rang_for(message.scheduled_time.as_deref());
        self.plane.memory.stopping.store(false, Ordering::Relaxed);
        // Ticks are taken within milliseconds: their queue's own timeout serves them, and none is cut short.
        let beside = async {
            match self.queue {
                QueueKind::Runs | QueueKind::Rollouts => {
                    tokio::join!(held.keep(), self.stop_before(deadline));
                }
                _ => std::future::pending().await,
            }
        };
        let executed = tokio::select! {
            executed = (self.handle)(&self.plane, message.bell, rang_for) => executed?,
            _ = beside => unreachable!("a message is kept for ever"),
        };
        match executed {
            // Cut short by the function's end: the same message goes on with it.
            BellOutcome::Done if self.plane.is_stopping() => Ok(BellOutcome::RingAgain(LEASE_OVER)),
            executed => Ok(executed),
        }
    }

    async fn stop_before(&self, deadline: SystemTime) {
        // `cargo lambda watch` gives a deadline in 1970; one that has passed before the start says nothing.
        #[expect(clippy::disallowed_methods, reason = "Lambda's deadline is of the machine's clock")]
        let Ok(left) = deadline.duration_since(SystemTime::now()) else { return std::future::pending().await };
        tokio::time::sleep(left.saturating_sub(HANDOVER).max(left / 2)).await;
        self.plane.memory.stopping.store(true, Ordering::Relaxed);
    }
}

impl Record {
    fn received(&self) -> u32 {
        self.attributes.received.as_ref().and_then(|count| count.parse().ok()).unwrap_or(1)
    }
}

/// A run's worker may have failed with the lease in hand: a bell that rings before it is over finds a run in work, and is
/// done. A rollout's lease is given back. `jitter` is drawn evenly from 0 to 1, and keeps bells that failed together from
/// coming back together.
///
/// Bells of ticks wait twice as long with each failure. Those of the other queues are received often without any.
fn after_failure(queue: QueueKind, received: u32, jitter: f64) -> Duration {
    let least = match queue {
        QueueKind::Runs => LEASE_OVER,
        QueueKind::Ticks => AFTER_FAILURE * (1 << received.saturating_sub(1).min(5)),
        _ => AFTER_FAILURE,
    };
    least.min(LONGEST_AFTER_FAILURE).mul_f64(1.0 + jitter / 2.0)
}

fn rang_for(scheduled_time: Option<&str>) -> Option<Timestamp> {
    scheduled_time?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use std::sync::Mutex;
    use tidemill_operations::Code;

    /// An SQS that takes whatever comes, and keeps the requests.
    #[derive(Clone, Debug, Default)]
    struct Taken(Arc<Mutex<Vec<serde_json::Value>>>);

    impl HttpConnector for Taken {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let asked = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            self.0.lock().unwrap().push(asked);
            HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), "{}".into())))
        }
    }

    /// Lets a bell of a queue fail, and gives the seconds after which it rings again.
    async fn seconds_until_it_rings_again(queue: QueueKind) -> i64 {
        let taken = Taken::default();
        let sqs = SharedHttpConnector::new(taken.clone());
        let shared = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test")))
            .http_client(http_client_fn(move |_: &HttpConnectorSettings, _| sqs.clone()));
        let clients = Arc::new(Clients::new(shared.build()));
        let url =
            |of: QueueKind| (Variable::Queue(of), "https://sqs.eu-central-1.amazonaws.com/1/queue.fifo".to_owned());
        let configuration: Arc<Configuration> =
            Arc::new([url(queue), (Variable::Table, "t".into())].into_iter().collect());
        let plane = Arc::new(crate::configuration::plane(configuration.clone(), clients.clone()).unwrap());
        let handle: BellHandler =
            |_, _, _| Box::pin(async { Err(Error::new(Code::Unavailable, "the table did not answer in time")) });
        let receiver = Receiver { plane, clients, configuration, queue, handle };

        let event = serde_json::from_str(include_str!("../../../infra/events/run.json")).unwrap();
        #[expect(clippy::disallowed_methods, reason = "Lambda's deadline is of the machine's clock")]
        let deadline = SystemTime::now() + Duration::from_secs(900);
        let answer = receiver.receive(event, deadline).await.unwrap();

        assert_eq!(answer.batch_item_failures.len(), 1);
        let asked = taken.0.lock().unwrap().last().cloned().unwrap();
        asked["VisibilityTimeout"].as_i64().unwrap()
    }

    #[tokio::test]
    async fn the_bell_of_a_run_that_failed_rings_when_the_runs_lease_is_over() {
        assert!((31..=47).contains(&seconds_until_it_rings_again(QueueKind::Runs).await));
        assert!((10..=15).contains(&seconds_until_it_rings_again(QueueKind::Ticks).await));
    }

    #[test]
    fn bells_that_fail_together_come_back_one_by_one_and_those_of_ticks_ever_later() {
        let seconds = |queue, received, jitter| after_failure(queue, received, jitter).as_secs();

        assert_eq!([1, 2, 3, 5, 90].map(|received| seconds(QueueKind::Ticks, received, 0.0)), [10, 20, 40, 120, 120]);
        assert_eq!([1, 90].map(|received| seconds(QueueKind::Runs, received, 0.0)), [31, 31]);
        assert_eq!([0.0, 0.4, 1.0].map(|jitter| seconds(QueueKind::Rollouts, 1, jitter)), [10, 12, 15]);
    }

    fn only_message(event: &str) -> Message {
        let event: BellEvent = serde_json::from_str(event).unwrap();
        serde_json::from_str(&event.records[0].body).unwrap()
    }

    #[test]
    fn the_sample_events_are_bells() {
        let tick = only_message(include_str!("../../../infra/events/tick.json"));
        let run = only_message(include_str!("../../../infra/events/run.json"));

        assert!(matches!(tick.bell, Bell::Tick { .. }));
        assert!(matches!(run.bell, Bell::Run { .. }));
        assert_eq!(rang_for(tick.scheduled_time.as_deref()), "2026-11-20T10:05:00Z".parse().ok());
        assert_eq!(run.scheduled_time, None);
    }

    #[test]
    fn a_time_that_was_not_put_in_is_no_time() {
        assert_eq!(rang_for(Some("<aws.scheduler.scheduled-time>")), None);
    }
}
