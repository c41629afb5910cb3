//! Asks the plane which keys earlier runs have seen.

use super::line::Line;
use crate::engine::protocol::Reply;
use futures::future::BoxFuture;
use tidemill_engine::{HostError, SeenKeys};
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;

/// What the plane answers to a question.
pub type Answer = Result<Vec<Option<String>>, HostError>;

/// The keys that the plane knows.
pub struct PlaneKeys {
    pub line: Line,
    /// Held for a question and its answer.
    pub answers: Mutex<UnboundedReceiver<Answer>>,
}

impl SeenKeys for PlaneKeys {
    fn seen<'a>(&'a self, component: &'a str, keys: &'a [String]) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let mut answers = self.answers.lock().await;
            self.line.send(Reply::Ask { component: component.to_owned(), keys: keys.to_vec() });
            let hung_up = || HostError { message: "the plane hung up".to_owned(), retryable: true };
            answers.recv().await.ok_or_else(hung_up)?
        })
    }
}
