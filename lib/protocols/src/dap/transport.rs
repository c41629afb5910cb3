//! What the way to a client can carry. A process's own socket takes all of the protocol, API Gateway's WebSockets do not.

use super::commands::Command;
use super::failure::Failure;
use super::frame::FRAME_LIMIT;
use tidemill_operations::Code;

/// How frames get to the client and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transport {
    /// Largest frame to the client, in bytes.
    pub limit: usize,
    /// Whether objects can be sent through it: part by part, in order, to one process.
    takes_objects: bool,
}

impl Transport {
    /// A socket that one process holds as long as it is open.
    pub const SOCKET: Transport = Transport { limit: FRAME_LIMIT, takes_objects: true };
    /// API Gateway: text alone, and each frame is the call of a function that keeps nothing.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>
    pub const API_GATEWAY: Transport = Transport { limit: 128 * 1024, takes_objects: false };

    /// Refuses a command that cannot go this way.
    pub fn carries(&self, command: &Command) -> Result<(), Failure> {
        if self.takes_objects || !command.carries_objects() {
            return Ok(());
        }
        let message = "API Gateway's WebSockets carry no objects, since they take no binary frames; hint: send them with \
                       `POST /task/data?token=TOKEN` to the HTTP API, or connect to a `tidemill gateway`";
        Err(Failure::new(message).code(Code::FailedPrecondition))
    }

    /// What is sent in place of an answer that is larger than the limit.
    pub fn too_large(&self) -> Failure {
        let message = match self.takes_objects {
            true => "the answer is larger than the 250 MiB of a frame; ask for less at once",
            false => {
                "the answer is larger than the 128 KiB that API Gateway's WebSockets carry; hint: ask the HTTP API for \
                 it, or connect to a `tidemill gateway`"
            }
        };
        Failure::new(message).code(Code::TooLarge)
    }
}
