//! The operations of DynamoDB that the store uses, on either kind of database.

use dynoxide::storage::Storage;
use dynoxide::{Database, DynoxideError, actions};
use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is left to do while the database serves the next request: writing the answer down.
pub type Answer = Box<dyn FnOnce() -> Result<String, DynoxideError> + Send>;

/// An operation whose request is read: what is to be done with the database.
pub type Work = Box<dyn FnOnce(&Storage) -> Result<Answer, DynoxideError> + Send>;

/// Writes one list of operations for both kinds of database.
macro_rules! operations {
    ($($name:literal => $operation:ident),* $(,)?) => {
        /// Carries an operation out at once. A transaction's token is kept and compared, as DynamoDB does.
        pub fn in_memory(database: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
            match operation {
                $($name => written(&database.$operation(read(body)?)?),)*
                other => Err(unknown(other)),
            }
        }

        /// Reads an operation's request. A transaction's token is not looked at.
        pub fn in_file(operation: &str, body: &[u8]) -> Result<Work, DynoxideError> {
            match operation {
                $($name => {
                    let request = read(body)?;
                    Ok(Box::new(move |storage| {
                        let answered = actions::$operation::execute(storage, request).now_or_never();
                        let answer = answered.expect("SQLite is called as the future is polled")?;
                        Ok(Box::new(move || written(&answer)))
                    }))
                })*
                other => Err(unknown(other)),
            }
        }
    };
}

operations! {
    "GetItem" => get_item,
    "PutItem" => put_item,
    "DeleteItem" => delete_item,
    "UpdateItem" => update_item,
    "Scan" => scan,
    "Query" => query,
    "BatchGetItem" => batch_get_item,
    "BatchWriteItem" => batch_write_item,
    "TransactWriteItems" => transact_write_items,
    "CreateTable" => create_table,
    "DescribeTimeToLive" => describe_time_to_live,
    "UpdateTimeToLive" => update_time_to_live,
}

/// Whether an operation may change something.
pub fn is_write(operation: &str) -> bool {
    !matches!(operation, "GetItem" | "Scan" | "Query" | "BatchGetItem" | "DescribeTimeToLive")
}

fn unknown(operation: &str) -> DynoxideError {
    DynoxideError::ValidationException(format!("`{operation}` is not used by the store"))
}

fn read<Q: DeserializeOwned>(body: &[u8]) -> Result<Q, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))
}

fn written(answer: &impl Serialize) -> Result<String, DynoxideError> {
    serde_json::to_string(answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
