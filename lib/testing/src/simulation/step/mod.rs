//! What must hold of each single write, whatever happened before it. The numbers are those of the invariants that the tests of this
//! repository are named by.

mod deployment;
mod run;
mod tick;
mod work;

pub use deployment::version_place;

use super::mirror::{Change, Mirror, parsed};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How far apart the clocks of two processes may be.
const CLOCKS: SignedDuration = SignedDuration::from_secs(11);

/// The table after a write, and when it happened.
pub struct Look<'a> {
    pub mirror: &'a Mirror,
    pub now: Timestamp,
    pub is_laptop: bool,
}

/// Checks a change.
///
/// # Errors
/// What does not hold.
pub fn check(look: &Look<'_>, change: &Change) -> Result<(), String> {
    match change.kind() {
        "run" => run::check(look, &pair(change, "a run is gone")?),
        "deployment" => deployment::check(look, &pair(change, "a deployment is gone")?),
        "environment" => deployment::check_environment(look, &pair(change, "an environment is gone")?),
        "version" => deployment::check_version(look, &pair(change, "I5: a version is gone")?),
        "rollout" => work::check_rollout(look, &pair(change, "a rollout is gone")?),
        "group" => work::check_group(look, &pair(change, "a group is gone")?),
        "task" => work::check_task(look, change),
        "serving" => work::check_serving(look, change),
        "key" | "KEY" => work::check_key(&pair(change, "a key is gone")?),
        "tick" => tick::check(look, change),
        "log" | "resource" | "idempotency" | "audit" | "environment-audit" | "body" => is_written_once(change),
        "TASKS" => work::check_open_tasks(change),
        _ => Ok(()),
    }
}

fn hold(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// A record before and after a write. None of these kinds is ever taken away.
struct Pair<T> {
    before: Option<T>,
    after: T,
}

fn pair<T: DeserializeOwned>(change: &Change, gone: &str) -> Result<Pair<T>, String> {
    let after: &Value = change.after.as_ref().ok_or_else(|| format!("{gone}: {}", change.place.1))?;
    Ok(Pair { before: change.before.as_ref().map(parsed), after: parsed(after) })
}

fn is_written_once(change: &Change) -> Result<(), String> {
    hold(change.before.is_none(), || format!("{} was written a second time", change.place.1))
}
