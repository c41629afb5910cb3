//! What a plane and its engine processes say to each other: frames, each with its length before it. All of them are JSON, but for
//! the parts of an object, which are bytes.

use bytes::{BufMut, Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Tree;
use std::collections::BTreeMap;
use std::io;
use tidemill_engine::{
    Budget, Counts, Error, Event, Folders, HostError, Input, LogLine, NetworkPolicy, RunFacts, Step,
};
use tidemill_model::ids::OwnerId;
use tidemill_model::task::Trace;
use tidemill_plan::Plan;
use tokio_util::codec::LengthDelimitedCodec;

/// Bytes of a frame. An object, a result and a checkpoint are of some megabytes each.
const FRAME_LIMIT: usize = 256 * 1024 * 1024;

/// The first byte of a frame.
const JSON: u8 = 0;
const PART: u8 = 1;

/// What the plane says.
#[derive(Serialize, Deserialize)]
pub enum Request {
    /// Work. The first step begins it.
    Start(Box<Start>),
    Step(Budget),
    /// The step in hand is to end after one value. The process says at once how far it is.
    EndStep,
    /// The answer to the oldest question.
    Seen(Result<Vec<Option<String>>, HostError>),
    /// The next part of the object.
    #[serde(skip)]
    Part(Bytes),
    /// The object is whole.
    Whole,
    /// The rest of the object does not come.
    Lost,
}

/// All that an execution gets.
#[derive(Serialize, Deserialize)]
pub struct Start {
    pub plan: Plan,
    pub owner: Option<OwnerId>,
    pub run: RunFacts,
    pub input: StartInput,
    pub secrets: BTreeMap<String, String>,
    pub variables: BTreeMap<String, String>,
    pub host: HostFacts,
    pub trace: Trace,
    /// Whether the plane wants to hear of messages at once.
    pub has_listener: bool,
    pub checkpoint: Option<Tree>,
}

#[derive(Serialize, Deserialize)]
pub enum StartInput {
    Nothing,
    Whole(Input),
    /// Its parts follow.
    Live {
        head: Input,
        id: String,
    },
}

/// What the operator allows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    pub folders: Option<Folders>,
    pub policy: NetworkPolicy,
}

/// What an engine process says.
#[derive(Serialize, Deserialize)]
pub enum Reply {
    /// What the step logged since the last reply, and what the run counted so far.
    Progress {
        lines: Vec<LogLine>,
        counts: Option<Counts>,
    },
    Message(Event),
    /// Asks which keys were seen before.
    Ask {
        component: String,
        keys: Vec<String>,
    },
    /// The execution took a part, so there is room for another.
    Taken,
    Stepped {
        step: Box<Step>,
        next: Next,
    },
    Failed {
        error: Box<Error>,
        next: Next,
    },
}

/// What a process is good for after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Next {
    /// The next step of the same execution.
    Step,
    /// Other work: the execution is over.
    Start,
    /// Nothing: the execution is over, and left the process too large.
    End,
}

/// Frames, each after its length.
pub fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(FRAME_LIMIT).new_codec()
}

impl Request {
    pub fn encode(&self) -> io::Result<Bytes> {
        match self {
            Request::Part(bytes) => {
                let mut frame = BytesMut::with_capacity(bytes.len() + 1);
                frame.put_u8(PART);
                frame.put_slice(bytes);
                Ok(frame.freeze())
            }
            request => json(request),
        }
    }

    pub fn decode(frame: BytesMut) -> io::Result<Request> {
        match frame.first() {
            Some(&PART) => Ok(Request::Part(frame.freeze().slice(1..))),
            _ => read(&frame),
        }
    }
}

impl Reply {
    pub fn encode(&self) -> io::Result<Bytes> {
        json(self)
    }

    pub fn decode(frame: &[u8]) -> io::Result<Reply> {
        read(frame)
    }
}

fn json(message: &impl Serialize) -> io::Result<Bytes> {
    let mut frame = vec![JSON];
    serde_json::to_writer(&mut frame, message)?;
    Ok(frame.into())
}

fn read<T: DeserializeOwned>(frame: &[u8]) -> io::Result<T> {
    let text = frame.strip_prefix(&[JSON]).ok_or(io::ErrorKind::InvalidData)?;
    Ok(serde_json::from_slice(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_crosses_the_pipe_as_it_is() {
        let part = Bytes::from_static(&[0, 1, 0xff]);

        let frame = Request::Part(part.clone()).encode().unwrap();

        assert_eq!(frame.len(), part.len() + 1);
        assert!(matches!(Request::decode(BytesMut::from(&frame[..])).unwrap(), Request::Part(bytes) if bytes == part));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for frame in [&b""[..], b"\0", b"\0{}", b"\x02x"] {
            assert!(Request::decode(BytesMut::from(frame)).is_err(), "{frame:?}");
            assert!(Reply::decode(frame).is_err(), "{frame:?}");
        }
    }
}
