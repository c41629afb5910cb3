//! What the operator gives to every run, and what the host gives to one. The engine never sees the store.

use crate::input::RunInput;
use crate::json::{self, Json};
use crate::outbound::Outbound;
use crate::trace::Event;
use futures::channel::mpsc::UnboundedSender;
use futures::future::BoxFuture;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use tidemill_model::ids::OwnerId;
use tidemill_model::task::Trace;
use tidemill_plan::Private;

/// What the operator allows and gives; one per plane.
#[derive(Debug)]
pub struct Host {
    /// The folders that components may touch; `None` in the cloud, where there are none.
    pub folders: Option<Folders>,
    pub outbound: Outbound,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folders {
    /// Where `file_source` may read.
    pub readable: Vec<PathBuf>,
    /// Where `file_sink` may write, each owner in a folder of its own; it is made when the first file needs it.
    pub writable: PathBuf,
    /// The plane's own folder: nothing in it is read, whatever is readable, but for what the owner's runs wrote.
    pub private: Option<PathBuf>,
}

impl Folders {
    /// The folders as the runs of one owner see them.
    pub fn of(&self, owner: &OwnerId) -> Folders {
        Folders { writable: self.writable.join(folder_name(owner.as_str())), ..self.clone() }
    }

    /// The plane's own folder, as the compiler knows it.
    pub fn own(&self) -> Option<Private<'_>> {
        self.private.as_deref().map(|folder| Private { folder, outputs: &self.writable })
    }
}

/// An owner's name as that of a folder. A file system may take capitals for small letters, and `..` is no folder's name.
fn folder_name(owner: &str) -> String {
    let encoded = |(at, letter): (usize, char)| match letter {
        'A'..='Z' => format!("%{:02X}", u32::from(letter)),
        '.' if at == 0 => "%2E".to_owned(),
        _ => letter.to_string(),
    };
    owner.char_indices().map(encoded).collect()
}

/// Everything that one run gets.
#[derive(Clone)]
pub struct RunContext {
    pub run: RunFacts,
    /// Whose run it is: what it writes lies in a folder of its owner. `None` for a trial, which has a folder of its own.
    pub owner: Option<OwnerId>,
    pub input: RunInput,
    /// By name; a config names one as `${NAME}`.
    pub secrets: BTreeMap<String, SecretString>,
    /// What a task's caller gave, by name, before secrets of the same name. They are no secrets and are not masked.
    pub variables: BTreeMap<String, String>,
    pub seen: Arc<dyn SeenKeys>,
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pub host: Arc<Host>,
    /// How much the trace holds of what the components do.
    pub trace: Trace,
    /// Gets the messages of components at once; they are in the step, too.
    pub listener: Option<UnboundedSender<Event>>,
}

/// What a program sees as `$run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    pub run_id: String,
    /// The object of a task that is executed by itself, once; `None` where the run is executed as a whole.
    pub object: Option<String>,
    pub project: String,
    pub version: u32,
    pub attempt: u32,
    /// `schedule`, `webhook`, `call`, `manual` or `task`.
    pub trigger: String,
    /// The tick that this run serves; `None` unless the trigger is `schedule`.
    pub tick: Option<Timestamp>,
    pub previous_tick: Option<Timestamp>,
}

impl RunFacts {
    pub(crate) fn as_json(&self) -> Json {
        let time = |time: Option<Timestamp>| time.map_or(Json::Null, |time| json::string(&time.to_string()));
        json::object([
            ("run_id", json::string(&self.run_id)),
            ("project", json::string(&self.project)),
            ("version", Json::from(self.version as usize)),
            ("attempt", Json::from(self.attempt as usize)),
            ("trigger", json::string(&self.trigger)),
            ("tick", time(self.tick)),
            ("previous_tick", time(self.previous_tick)),
        ])
    }
}

/// The keys that `dedupe` and `changed` saw in earlier steps and runs, as far as they were saved.
pub trait SeenKeys: Send + Sync {
    /// What is remembered of each key, in their order; `None` if it was never seen or is forgotten.
    fn seen<'a>(
        &'a self,
        component: &'a str,
        keys: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Option<String>>, HostError>>;
}

/// The host could not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostError {
    pub message: String,
    pub retryable: bool,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HostError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_has_a_folder_of_its_own_inside_the_writable_one() {
        let folders = Folders { readable: Vec::new(), writable: "/files".into(), private: None };
        let of = |owner: &str| folders.of(&OwnerId::parse(owner).unwrap()).writable;

        assert_eq!(of("ana@example.com"), PathBuf::from("/files/ana@example.com"));
        assert_eq!(of("Ana"), PathBuf::from("/files/%41na"));
        assert_eq!((of("."), of("..")), (PathBuf::from("/files/%2E"), PathBuf::from("/files/%2E.")));
    }
}
