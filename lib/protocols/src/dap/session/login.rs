//! Who is logged in on a connection.

use futures::future::{BoxFuture, FutureExt, Shared, ready};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard};
use tidemill_model::key::Credential;

/// How often the key of a silent connection is checked. A revoked key closes its sockets within a minute.
const RECHECK: SignedDuration = SignedDuration::from_secs(30);

/// The outcome of a login, which later requests wait for; `None` without one, or after a logout.
pub type Login = Shared<BoxFuture<'static, Option<Arc<Identity>>>>;

/// The credential of a login, and when it was last found valid.
pub struct Identity {
    pub credential: Credential,
    checked_at: Mutex<Timestamp>,
}

impl Identity {
    pub fn new(credential: Credential, now: Timestamp) -> Identity {
        Identity { credential, checked_at: Mutex::new(now) }
    }

    pub fn is_due(&self, now: Timestamp) -> bool {
        now.duration_since(*self.checked_at()) >= RECHECK
    }

    pub fn is_valid_at(&self, now: Timestamp) {
        *self.checked_at() = now;
    }

    fn checked_at(&self) -> MutexGuard<'_, Timestamp> {
        self.checked_at.lock().expect("no panic happens while it is held")
    }
}

pub fn logged_out() -> Login {
    ready(None).boxed().shared()
}

pub fn logged_in(identity: Identity) -> Login {
    ready(Some(Arc::new(identity))).boxed().shared()
}
