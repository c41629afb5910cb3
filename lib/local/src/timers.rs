//! The local timers: when each deployment is due next. They live in memory and ring bells; after a start the sweep sets
//! them as the table says.

use futures::future::BoxFuture;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_model::schedule::Schedule;
use tidemill_operations::{Bell, Error, Timers};
use tokio::sync::Notify;

type Whose = (OwnerId, ProjectId);

/// Timers of all deployments.
pub struct LocalTimers {
    calendar: Calendar,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    timers: HashMap<Whose, Timer>,
    due: BTreeSet<(Timestamp, Whose)>,
}

struct Timer {
    schedule: Schedule,
    due: Option<Timestamp>,
}

impl LocalTimers {
    pub fn new(calendar: Calendar) -> LocalTimers {
        LocalTimers { calendar, state: Mutex::default(), changed: Notify::new() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }

    /// Bells of the timers that are due at `now`; each of these timers goes on to its next due instant.
    pub fn due(&self, now: Timestamp) -> Vec<Bell> {
        let mut state = self.state();
        let mut bells = Vec::new();
        while let Some((at, whose)) = state.due.first().filter(|(at, _)| *at <= now).cloned() {
            state.due.remove(&(at, whose.clone()));
            bells.push(Bell::Tick { owner: whose.0.clone(), project: whose.1.clone() });
            state.go_on(self.calendar, whose, now);
        }
        bells
    }

    /// When the first timer is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.state().due.first().map(|(at, _)| *at)
    }

    /// Waits until a timer is set or taken away.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl State {
    fn go_on(&mut self, calendar: Calendar, whose: Whose, after: Timestamp) {
        let Some(timer) = self.timers.get_mut(&whose) else { return };
        timer.due = calendar.next_tick(&timer.schedule, after);
        if let Some(due) = timer.due {
            self.due.insert((due, whose));
        }
    }

    fn remove(&mut self, whose: &Whose) {
        if let Some(due) = self.timers.remove(whose).and_then(|timer| timer.due) {
            self.due.remove(&(due, whose.clone()));
        }
    }
}

fn whose(deployment: &Deployment) -> Whose {
    (deployment.owner.clone(), deployment.project.clone())
}

impl Timers for LocalTimers {
    fn set<'a>(&'a self, deployment: &'a Deployment) -> BoxFuture<'a, Result<(), Error>> {
        let whose = whose(deployment);
        let mut state = self.state();
        state.remove(&whose);
        state.timers.insert(whose.clone(), Timer { schedule: deployment.schedule.clone(), due: None });
        state.go_on(self.calendar, whose, deployment.ticked_until);
        drop(state);
        self.changed.notify_one();
        Box::pin(std::future::ready(Ok(())))
    }

    fn clear<'a>(&'a self, owner: &'a OwnerId, project: &'a ProjectId) -> BoxFuture<'a, Result<(), Error>> {
        self.state().remove(&(owner.clone(), project.clone()));
        Box::pin(std::future::ready(Ok(())))
    }

    fn is_set<'a>(&'a self, deployment: &'a Deployment) -> BoxFuture<'a, Result<bool, Error>> {
        let state = self.state();
        let is_set = state.timers.get(&whose(deployment)).is_some_and(|timer| timer.schedule == deployment.schedule);
        Box::pin(std::future::ready(Ok(is_set)))
    }
}
