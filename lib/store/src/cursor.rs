//! Where a list goes on: opaque to clients, the last sort key to us. It never names a partition, so a made-up cursor
//! reaches nothing but the asker's own list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{GroupName, RunId};
use tidemill_model::invalid::Invalid;

/// The sort key of the last item that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub(crate) String);

impl Cursor {
    /// Goes on after a run, in whichever partition.
    pub fn of_run(run: &RunId) -> Cursor {
        Cursor(format!("{}{run}", crate::keys::RUNS))
    }

    /// Whether a list of runs comes to a run after it.
    pub fn leads_to(&self, run: &RunId) -> bool {
        Cursor::of_run(run).0 < self.0
    }

    /// Goes on after a deployment.
    pub fn of_deployment(id: &DeploymentId) -> Cursor {
        Cursor(crate::keys::deployment_sort(id))
    }

    /// Goes on after a group.
    pub fn of_group(name: &GroupName) -> Cursor {
        Cursor(format!("{}{name}", crate::keys::GROUPS))
    }

    /// The text that a client sends back.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }

    /// Reads what a client sent back.
    pub fn decode(text: &str) -> Result<Cursor, Invalid> {
        let sort = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        sort.filter(|sort| is_of_a_list(sort) && sort.len() <= 1024).map(Cursor).ok_or_else(|| {
            Invalid::new("cursor", "the cursor was not made by this list", "send `next` of the page before unchanged")
        })
    }
}

/// Whether a sort key begins with the word of a list's items.
fn is_of_a_list(sort: &str) -> bool {
    sort.split_once('#')
        .is_some_and(|(word, _)| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
}
