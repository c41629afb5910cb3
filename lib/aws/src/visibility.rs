//! How long a message stays with its receiver. A queue's own visibility timeout must be several times the function's
//! limit, and a message group waits that long when a receiver dies; so a receiver asks for a short time instead, and
//! renews it while it lives.

use crate::clients::Clients;
use aws_sdk_sqs::error::DisplayErrorContext;
use std::sync::Arc;
use std::time::Duration;

/// How long a message is hidden beyond the last sign of life of its receiver.
const HOLD: Duration = Duration::from_secs(60);
const RENEWAL: Duration = Duration::from_secs(20);
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);

/// A message in hand.
#[derive(Clone)]
pub struct HeldMessage {
    pub clients: Arc<Clients>,
    pub queue_url: String,
    pub receipt: String,
}

impl HeldMessage {
    /// Keeps the message until the future is dropped.
    pub async fn keep(&self) {
        loop {
            self.hide_for(HOLD).await;
            tokio::time::sleep(RENEWAL).await;
        }
    }

    /// Hides the message for a while, from now on. When this fails, the queue's own timeout holds: the message comes
    /// late, and the sweep may ring first.
    pub async fn hide_for(&self, time: Duration) {
        let seconds = time.min(LONGEST).as_secs_f64().ceil() as i32;
        let changed = self
            .clients
            .sqs()
            .change_message_visibility()
            .queue_url(&self.queue_url)
            .receipt_handle(&self.receipt)
            .visibility_timeout(seconds)
            .send()
            .await;
        if let Err(error) = changed {
            tracing::warn!(error = %DisplayErrorContext(error), "the time that a message is hidden could not be changed");
        }
    }
}
