//! The caller behind a credential: an owner's API key, or a token of one task.
//!
//! A task's own token allows what concerns that task, its public one allows sending objects to it, and neither allows
//! anything else.

use crate::access::authenticate;
use crate::access::authenticate::{bare, hash};
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::task::life::unknown;
use jiff::Timestamp;
use tidemill_model::ids::OwnerId;
use tidemill_model::key::{Credential, Scope};
use tidemill_model::task::Task;
use tidemill_model::version::sha256;

/// The caller of a request.
#[derive(Clone, Debug)]
pub enum Caller {
    Key(Call),
    Task(Confined),
}

/// A caller with a token of one task.
#[derive(Clone)]
pub struct Confined {
    /// Private, so that it is used only with a scope and a task.
    call: Call,
    /// Addresses the task.
    token: String,
    /// What the caller has.
    credential: String,
}

/// Finds out who has a credential: a bare one, or one after `Bearer `.
///
/// # Errors
/// [`Code::NotFound`] for a token of no task that there still is, [`Code::Unauthenticated`] for everything else that is
/// not live.
pub async fn of(plane: &Plane, credential: Option<&str>) -> Result<Caller, Error> {
    behind(plane, &known_by(credential)?).await
}

/// What a credential is known by from here on: a bare one, or one after `Bearer `.
///
/// # Errors
/// [`Code::Unauthenticated`] for what has the form of none.
pub fn known_by(credential: Option<&str>) -> Result<Credential, Error> {
    match credential.map(bare).filter(|text| is_of_task(text)) {
        Some(text) => Ok(Credential::Task(sha256(text.as_bytes()))),
        None => hash(credential).map(Credential::Key),
    }
}

/// Finds out who has the credential that is known by this.
///
/// # Errors
/// As [`of`].
pub async fn behind(plane: &Plane, credential: &Credential) -> Result<Caller, Error> {
    match credential {
        Credential::Key(hash) => authenticate::by_hash(plane, hash, None).await.map(Caller::Key),
        Credential::Task(hash) => confined(plane, hash).await.map(Caller::Task),
    }
}

/// Whether a text has the form of a task's token; an API key has another.
pub fn is_of_task(text: &str) -> bool {
    text.starts_with("tk_") || text.starts_with("pk_")
}

async fn confined(plane: &Plane, hash: &str) -> Result<Confined, Error> {
    let known = plane.store.task_credential(hash).await?.ok_or_else(unknown)?;
    let task = plane.store.task(&known.owner, &known.token).await?;
    let text = |task: &Task| if known.public { task.public_token.clone() } else { task.token.clone() };
    // A token that a caller chose may address another task by now.
    let is_its = |task: &Task| sha256(text(task).as_bytes()) == hash;
    let task = task.filter(|task| is_its(task) && task.is_readable(plane.now())).ok_or_else(unknown)?;
    let key = plane.store.key(&task.owner, &task.key).await?;
    if !key.is_some_and(|key| key.is_live(plane.now())) {
        return Err(Error::new(Code::Unauthenticated, "the key that the task was opened with is not valid any more")
            .hint("open a new one with a live key"));
    }
    let scopes = if known.public { vec![Scope::Data] } else { vec![Scope::Control, Scope::Monitor, Scope::Data] };
    let call = Call { owner: task.owner.clone(), key: task.key.clone(), scopes, now: plane.now(), idempotency: None };
    Ok(Confined { call, credential: text(&task), token: task.token })
}

impl Caller {
    /// Whose account it is.
    pub fn owner(&self) -> &OwnerId {
        match self {
            Caller::Key(call) => &call.owner,
            Caller::Task(confined) => &confined.call.owner,
        }
    }

    /// What it may do, of a task or of everything.
    pub fn scopes(&self) -> &[Scope] {
        match self {
            Caller::Key(call) => &call.scopes,
            Caller::Task(confined) => &confined.call.scopes,
        }
    }

    /// The call, for what asks for `scope` of the task that `task` addresses, or of everything.
    ///
    /// # Errors
    /// [`Code::PermissionDenied`] if the key does not have the scope, or the token is not of that task.
    pub fn call(&self, scope: Scope, task: Option<&str>) -> Result<&Call, Error> {
        match self {
            Caller::Key(call) => authenticate::check(call, scope).map(|()| call),
            Caller::Task(confined) => confined.call(scope, task),
        }
    }

    /// What addresses the task that is meant: what was given, or the task whose token the caller has.
    pub fn task(&self, given: Option<&str>) -> Option<String> {
        match (self, given) {
            (Caller::Task(confined), given) if given.is_none_or(|given| given == confined.credential) => {
                Some(confined.token.clone())
            }
            (_, given) => given.map(str::to_owned),
        }
    }
}

impl Confined {
    /// A call for what needs no rights.
    pub fn without_rights(&self, now: Timestamp) -> Call {
        Call { scopes: Vec::new(), now, ..self.call.clone() }
    }

    fn call(&self, scope: Scope, task: Option<&str>) -> Result<&Call, Error> {
        if task != Some(self.token.as_str()) {
            return Err(Error::new(Code::PermissionDenied, "a task's token is for that task alone")
                .hint("use an API key, or the token of the task that is meant"));
        }
        if !self.call.scopes.contains(&scope) {
            return Err(Error::new(Code::PermissionDenied, "a public token may only send objects to its task")
                .hint("use an API key, or the task's own token"));
        }
        Ok(&self.call)
    }
}

impl std::fmt::Debug for Confined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Confined").field("owner", &self.call.owner).finish_non_exhaustive()
    }
}
