//! Refusals by tasks in the words that RocketRide's clients know, over HTTP and over the WebSocket alike.

use tidemill_operations::{Code, Error};

/// Why a task was not opened.
pub fn of_opening(error: Error) -> Error {
    match error.code {
        Code::AlreadyExists => saying("Pipeline is already running", error),
        _ => error,
    }
}

/// Why nothing was done with a task: there may be none.
pub fn of_task(error: Error) -> Error {
    match error.code {
        Code::NotFound => saying(NOT_RUNNING, error),
        _ => error,
    }
}

/// Why a task was not ended: one that is ending is as little running as one that never was.
pub fn of_ending(error: Error) -> Error {
    match error.code {
        Code::NotFound | Code::FailedPrecondition => saying(NOT_RUNNING, error),
        _ => error,
    }
}

const NOT_RUNNING: &str = "Your pipeline is not running";

fn saying(what: &str, mut error: Error) -> Error {
    error.message = format!("{what}. {}", error.message);
    error
}
