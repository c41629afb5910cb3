//! The adapters against an emulator of AWS, which `tests/cloud/run` starts. Where emulator and documentation differ, the
//! documentation wins, and the test says so.
//!
//! Every test is ignored unless it is asked for: `cargo test -p tidemill-aws --test emulator -- --ignored`. Asked for
//! without `AWS_ENDPOINT_URL`, it fails.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "names of queues and schedules differ between runs")]

mod cipher;
mod pages;
mod queue;
mod table;
mod timers;

use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tidemill_aws::{Clients, Configuration, Variable};
use tidemill_model::deployment::{Deployment, Settings, State};
use tidemill_model::ids::{HookId, KeyId, OwnerId, ProjectId};
use tidemill_model::schedule::Schedule;
use tidemill_model::unknown::Unknown;

/// Clients of the emulator, and of nothing else.
async fn clients() -> Arc<Clients> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("AWS_ENDPOINT_URL names the emulator");
    assert!(endpoint.starts_with("http://127.0.0.1:"), "`{endpoint}` is not on this machine");
    Arc::new(Clients::from_environment().await)
}

/// A name that no other test has.
fn fresh(what: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_millis();
    format!("{what}-{now}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn configuration<const N: usize>(variables: [(Variable, &str); N]) -> Arc<Configuration> {
    Arc::new(variables.map(|(variable, value)| (variable, value.to_owned())).into_iter().collect())
}

fn owner(name: &str) -> OwnerId {
    OwnerId::parse(name).expect("the name is well formed")
}

fn project(name: &str) -> ProjectId {
    ProjectId::parse(name).expect("the name is well formed")
}

/// An active deployment of `ana`, as it is written first.
fn deployment(name: &str, schedule: &str) -> Deployment {
    let now: Timestamp = "2026-03-02T10:00:30Z".parse().expect("this is an instant");
    Deployment {
        owner: owner("ana"),
        id: project(name).into(),
        state: State::Active,
        schedule: Schedule::parse(schedule).expect("the schedule is well formed"),
        ticked_until: now,
        ran_ahead: None,
        version: 1,
        last_version: 1,
        plan_sha256: None,
        hook: HookId::new(7),
        key: KeyId::new(now, 7),
        settings: Settings::default(),
        group: None,
        revision: 1,
        current: None,
        carried: None,
        waiting: None,
        settled: None,
        created_at: now,
        updated_at: now,
        unknown: Unknown::default(),
    }
}
