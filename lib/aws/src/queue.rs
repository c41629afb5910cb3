//! The work queues: SQS FIFO, with one message group for each deployment, or group of a rollout, so that its bells are
//! answered in order and one at a time; and a queue without an order for notifications.

use crate::clients::Clients;
use crate::configuration::{Configuration, Variable};
use aws_sdk_sqs::error::DisplayErrorContext;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::version::sha256;
use tidemill_operations::bell::QueueKind;
use tidemill_operations::{Bell, Clock, Error, Queue};

/// Sends bells.
pub struct SqsQueue {
    clients: Arc<Clients>,
    configuration: Arc<Configuration>,
    clock: Arc<dyn Clock>,
}

/// The message group that a bell waits in.
#[derive(Clone, Copy)]
enum Line {
    OfDeployment,
    Own,
}

impl SqsQueue {
    pub fn new(clients: Arc<Clients>, configuration: Arc<Configuration>, clock: Arc<dyn Clock>) -> SqsQueue {
        SqsQueue { clients, configuration, clock }
    }

    async fn send(&self, bell: &Bell, line: Line) -> Result<(), Error> {
        let body = serde_json::to_string(bell).map_err(Error::internal)?;
        let message =
            self.clients.sqs().send_message().queue_url(self.configuration.get(Variable::Queue(bell.queue()))?);
        if bell.queue() == QueueKind::Sockets {
            // In no order: the table decides which of them notifies.
            let sent = message.message_body(body).send().await;
            return sent.map(drop).map_err(|error| Error::internal(DisplayErrorContext(error).to_string()));
        }
        // SQS drops what it got within five minutes under the same id. A bell that rings again a minute later, because
        // it had no answer, is a new one.
        let minute = self.clock.now().as_second().div_euclid(60);
        let group = group(bell);
        let group = match line {
            Line::OfDeployment => group,
            Line::Own => sha256(format!("{group}@{minute}").as_bytes()),
        };
        let sent = message
            .message_group_id(group)
            .message_deduplication_id(sha256(format!("{body}@{minute}").as_bytes()))
            .message_body(body)
            .send()
            .await;
        sent.map(drop).map_err(|error| Error::internal(DisplayErrorContext(error).to_string()))
    }
}

impl Queue for SqsQueue {
    /// A FIFO queue delays all its messages or none, so a delayed bell is sent at once: its handler sees in the
    /// table that its time has not come, and puts it back until then.
    fn ring<'a>(&'a self, bell: Bell, _delay: Duration) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { self.send(&bell, Line::OfDeployment).await })
    }

    /// A message that a dead worker received holds its group until it is visible again, which takes as long as a function
    /// may take. So this one has a group of its own; the table says whether anything is left to be done.
    fn ring_again<'a>(&'a self, bell: Bell) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { self.send(&bell, Line::Own).await })
    }
}

/// The message group of a bell.
pub(crate) fn group(bell: &Bell) -> String {
    sha256(bell.group().as_bytes())
}
