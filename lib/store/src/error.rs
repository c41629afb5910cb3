//! What can go wrong at the table.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use std::fmt::Debug;

/// Why the table did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Conditions of these parts did not hold; nothing was written.
    #[error("the table's conditions did not hold: {0:?}")]
    Rejected(Vec<Part>),
    /// The table could not be asked, or asks to slow down. It is not known whether a write happened.
    #[error("the table did not answer: {0}")]
    Unavailable(String),
    /// The disk of an embedded table has no room; nothing was written.
    #[error("the table's disk is full")]
    DiskFull,
    /// The file of an embedded table is damaged; what a write did is not known.
    #[error("the table's file is damaged")]
    Damaged,
    /// An item does not read as what it should be.
    #[error("an item of the table cannot be read: {0}")]
    Corrupt(String),
    /// An item or a transaction is larger than the table takes.
    #[error("too large for the table: {0}")]
    TooLarge(String),
    /// A bug: the table refused the form of a request.
    #[error("the table refused a request: {0}")]
    Refused(String),
}

impl Error {
    /// Whether the file of an embedded table is damaged, which no other attempt mends.
    pub fn is_damaged(&self) -> bool {
        matches!(self, Error::Damaged)
    }

    /// Whether `part` is among those whose condition did not hold.
    pub fn rejects(&self, part: Part) -> bool {
        matches!(self, Error::Rejected(parts) if parts.contains(&part))
    }
}

/// The part of a transaction that a condition belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Deployment,
    Group,
    Rollout,
    /// A resource of a rollout.
    Resource,
    Environment,
    Version,
    Hook,
    Audit,
    Idempotency,
    Run,
    Tick,
    Key,
    Task,
    /// The number of open tasks.
    OpenTasks,
    /// A WebSocket of API Gateway, or the notifications on it.
    Socket,
    Other,
}

/// The code of an embedded table whose disk is full. DynamoDB has none, and the SDK does not try again after it.
pub const DISK_FULL: &str = "DiskFullException";

/// The code of an embedded table whose file is damaged.
pub const DAMAGED: &str = "DamagedException";

/// Errors after which the same request may succeed.
const PASSING: [&str; 7] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "InternalServerError",
    "ServiceUnavailable",
    "TransactionInProgressException",
    "TransactionConflictException",
];

impl<E> From<SdkError<E>> for Error
where
    E: ProvideErrorMetadata + std::error::Error + Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E>) -> Error {
        let text = DisplayErrorContext(&error).to_string();
        let Some(service) = error.as_service_error() else {
            return Error::Unavailable(text);
        };
        match (service.code().unwrap_or_default(), service.message().unwrap_or_default()) {
            (DISK_FULL, _) => Error::DiskFull,
            (DAMAGED, _) => Error::Damaged,
            (code, _) if PASSING.contains(&code) => Error::Unavailable(text),
            ("ValidationException", message) if message.contains("size") => Error::TooLarge(message.to_owned()),
            ("ItemCollectionSizeLimitExceededException", message) => Error::TooLarge(message.to_owned()),
            _ => Error::Refused(text),
        }
    }
}
