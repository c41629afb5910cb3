//! What is done when two writes meet at one item and one of them is a transaction: the later one is tried again.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling>

use crate::error::{Error, Part};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use std::fmt::Debug;
use std::time::Duration;

/// How often a write that meets a transaction is tried.
const TRIES: u32 = 8;

/// Waits before the next try of a write that met a transaction.
///
/// # Errors
/// [`Error::Unavailable`] after the last one.
pub(crate) async fn before_next(tries: u32) -> Result<(), Error> {
    if tries >= TRIES {
        return Err(Error::Unavailable("other transactions kept changing the same items".into()));
    }
    tokio::time::sleep(Duration::from_millis(10 << tries)).await;
    Ok(())
}

/// Sends the write of a single item until it meets no transaction. The SDK does not try such a write again.
///
/// # Errors
/// [`Error::Rejected`] with `part` if its condition did not hold.
pub(crate) async fn alone<T, E, F>(part: Part, send: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata + std::error::Error + Debug + Send + Sync + 'static,
{
    for tries in 1.. {
        let error = match send().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match error.code() {
            Some("ConditionalCheckFailedException") => return Err(Error::Rejected(vec![part])),
            Some("TransactionConflictException") => before_next(tries).await?,
            _ => return Err(error.into()),
        }
    }
    unreachable!("the loop ends by returning")
}
