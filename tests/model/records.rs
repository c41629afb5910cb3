//! The model's small records as those of the plane, and back, so that the plane's own rules decide.

use crate::table::{Head, Row, Stand, Status};
use jiff::{SignedDuration, Timestamp};
use std::sync::LazyLock;
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::{Deployment, Settings, State};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{HookId, KeyId, OwnerId, ProjectId, RunId};
use tidemill_model::lease::Lease;
use tidemill_model::run::{self, Run};
use tidemill_model::schedule::Schedule;
use tidemill_model::tick::Due;
use tidemill_model::unknown::Unknown;

const START: i64 = 1_767_225_600;
pub static CALENDAR: LazyLock<Calendar> = LazyLock::new(Calendar::default);

pub fn instant(minute: u8) -> Timestamp {
    Timestamp::from_second(START).expect("it is an instant") + SignedDuration::from_mins(minute.into())
}

pub fn minute(at: Timestamp) -> u8 {
    ((at.as_second() - START) / 60) as u8
}

pub fn run_id(run: u8) -> RunId {
    RunId::new(instant(run), 0)
}

pub fn run_number(id: &RunId) -> u8 {
    minute(id.made_at())
}

static DEPLOYMENT: LazyLock<Deployment> = LazyLock::new(|| Deployment {
    owner: OwnerId::parse("ana").expect("it is a name"),
    id: DeploymentId::Project(ProjectId::parse("p").expect("it is a name")),
    state: State::Active,
    schedule: Schedule::parse("* * * * *").expect("it is a schedule"),
    ticked_until: instant(0),
    version: 1,
    last_version: 1,
    plan_sha256: None,
    hook: HookId::new(0),
    key: KeyId::new(instant(0), 0),
    settings: Settings::default(),
    group: None,
    revision: 0,
    current: None,
    carried: None,
    waiting: None,
    ran_ahead: None,
    settled: None,
    created_at: instant(0),
    updated_at: instant(0),
    unknown: Unknown::default(),
});

pub fn deployment(head: &Head) -> Deployment {
    let at = instant(head.ticked_until);
    Deployment {
        state: match head.status {
            Status::Active => State::Active,
            Status::Paused => State::Paused { note: None, at },
            Status::Removed => State::Removed { at },
        },
        ticked_until: at,
        version: head.version.into(),
        last_version: head.last_version.into(),
        revision: head.revision.into(),
        current: head.current.map(run_id),
        carried: head.current.zip(head.carried.as_ref()).map(|(number, row)| Box::new(run(number, row))),
        ..DEPLOYMENT.clone()
    }
}

pub fn head(deployment: &Deployment) -> Head {
    Head {
        status: match deployment.state {
            State::Paused { .. } => Status::Paused,
            State::Removed { .. } => Status::Removed,
            _ => Status::Active,
        },
        ticked_until: minute(deployment.ticked_until),
        version: deployment.version as u8,
        last_version: deployment.last_version as u8,
        revision: deployment.revision as u8,
        current: deployment.current.as_ref().map(run_number),
        carried: deployment.carried.as_deref().map(row),
    }
}

pub fn run(number: u8, row: &Row) -> Run {
    let (owner, deployment) = (DEPLOYMENT.owner.clone(), DEPLOYMENT.id.clone());
    Run {
        version: Some(row.version.into()),
        state: match row.stand {
            Stand::Queued => run::State::Queued,
            Stand::Running => run::State::Running,
            Stand::Succeeded => run::State::Succeeded,
            Stand::Cancelled => run::State::Cancelled,
        },
        tick: row.tick.map(instant),
        epoch: row.epoch.into(),
        lease: row.lease.map(|(holder, until)| lease(holder, until)),
        is_carried: row.is_carried,
        ..Run::queued(run_id(number), owner, deployment, instant(0))
    }
}

pub fn row(run: &Run) -> Row {
    Row {
        tick: run.tick.map(minute),
        version: run.version.unwrap_or_default() as u8,
        stand: match run.state {
            run::State::Queued => Stand::Queued,
            run::State::Running => Stand::Running,
            run::State::Cancelled => Stand::Cancelled,
            _ => Stand::Succeeded,
        },
        epoch: run.epoch as u8,
        lease: run
            .lease
            .as_ref()
            .map(|lease| (lease.holder.parse().expect("it is a worker's number"), minute(lease.until))),
        is_carried: run.is_carried,
    }
}

pub fn lease(holder: u8, until: u8) -> Lease {
    Lease { holder: holder.to_string(), until: instant(until) }
}

/// The minutes that are due and have no outcome.
pub fn due(head: &Head, now: u8) -> Vec<u8> {
    let due = Due::of(&CALENDAR, &deployment(head), instant(now));
    due.map(|due| (minute(due.first)..=minute(due.last)).collect()).unwrap_or_default()
}
