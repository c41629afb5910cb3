//! Records to decide about.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::{OwnerId, ProjectId, RunId};
use tidemill_model::lease::{Lease, Process};
use tidemill_model::run::{self, Run};

pub const ME: Process<'static> = Process { name: "me", is_alone: false };
pub const ALONE: Process<'static> = Process { name: "me", is_alone: true };

/// An instant so many seconds after the tests' noon.
pub fn at(second: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-21T12:00:00Z".parse().expect("a timestamp");
    noon + SignedDuration::from_secs(second)
}

pub fn run_id(number: u128) -> RunId {
    RunId::new(at(0), number)
}

pub fn deployment(schedule: &str, ticked_until: Timestamp, catch_up_seconds: u32) -> Deployment {
    serde_json::from_value(json!({
        "owner": "ana", "project": "p", "state": { "is": "active" },
        "schedule": tidemill_model::schedule::Schedule::parse(schedule).expect("a schedule"),
        "ticked_until": ticked_until, "version": 1, "last_version": 1,
        "hook": tidemill_model::ids::HookId::new(1), "key": tidemill_model::ids::KeyId::new(at(0), 1),
        "settings": { "catch_up_seconds": catch_up_seconds, "max_attempts": 3, "timeout_seconds": 60 },
        "revision": 7, "created_at": at(-1_000_000), "updated_at": at(-1_000_000),
    }))
    .expect("a deployment")
}

pub fn run(number: u128, state: run::State, queued_at: Timestamp) -> Run {
    let owner = OwnerId::parse("ana").expect("an owner");
    let project = ProjectId::parse("p").expect("a project");
    Run { state, ..Run::queued(run_id(number), owner, project.into(), queued_at) }
}

pub fn run_states() -> impl Strategy<Value = run::State> {
    use run::State::{Cancelled, Failed, Queued, Running, Succeeded, TimedOut};
    prop::sample::select(vec![Queued, Running, Succeeded, Failed, Cancelled, TimedOut])
}

/// Leases of this process, of others, given back or none, which run out around now.
pub fn leases() -> impl Strategy<Value = Option<Lease>> {
    let lease = (prop::sample::select(vec!["me", "other", ""]), -60..60_i64)
        .prop_map(|(holder, second)| Lease { holder: holder.to_owned(), until: at(second) });
    prop::option::of(lease)
}

pub fn processes() -> impl Strategy<Value = Process<'static>> {
    any::<bool>().prop_map(|is_alone| if is_alone { ALONE } else { ME })
}
