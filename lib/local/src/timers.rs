//! The local timers: when each deployment is due next. They live in memory and ring bells; after a start the sweep sets
//! them as the table says.

use futures::future::BoxFuture;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::OwnerId;
use tidemill_model::schedule::Schedule;
use tidemill_operations::plane::Timer;
use tidemill_operations::{Bell, Error, Timers};
use tokio::sync::Notify;

type DeploymentKey = (OwnerId, DeploymentId);

/// Timers of all deployments.
pub struct LocalTimers {
    calendar: Calendar,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    timers: HashMap<DeploymentKey, TimerState>,
    due: BTreeSet<(Timestamp, DeploymentKey)>,
}

struct TimerState {
    schedule: Schedule,
    due: Option<Timestamp>,
}

impl LocalTimers {
    pub fn new(calendar: Calendar) -> LocalTimers {
        LocalTimers { calendar, state: Mutex::default(), changed: Notify::new() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic happens while it is held")
    }

    /// Bells of the timers that are due at `now`; each of these timers goes on to its next due instant.
    pub fn due(&self, now: Timestamp) -> Vec<Bell> {
        let mut state = self.state();
        let mut bells = Vec::new();
        while let Some((at, whose)) = state.due.first().filter(|(at, _)| *at <= now).cloned() {
            state.due.remove(&(at, whose.clone()));
            bells.push(Bell::Tick { owner: whose.0.clone(), deployment: whose.1.clone() });
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
    fn go_on(&mut self, calendar: Calendar, whose: DeploymentKey, after: Timestamp) {
        let Some(timer) = self.timers.get_mut(&whose) else { return };
        timer.due = calendar.next_tick(&timer.schedule, after);
        if let Some(due) = timer.due {
            self.due.insert((due, whose));
        }
    }

    fn remove(&mut self, whose: &DeploymentKey) {
        if let Some(due) = self.timers.remove(whose).and_then(|timer| timer.due) {
            self.due.remove(&(due, whose.clone()));
        }
    }
}

impl Timers for LocalTimers {
    fn follow<'a>(&'a self, deployment: &'a Deployment) -> BoxFuture<'a, Result<(), Error>> {
        let whose = (deployment.owner.clone(), deployment.id.clone());
        let mut state = self.state();
        state.remove(&whose);
        if let Some(schedule) = deployment.due_schedule() {
            state.timers.insert(whose.clone(), TimerState { schedule: schedule.clone(), due: None });
            state.go_on(self.calendar, whose, deployment.ticked_until);
        }
        drop(state);
        self.changed.notify_one();
        Box::pin(std::future::ready(Ok(())))
    }

    fn expected(&self, deployment: &Deployment) -> Vec<Timer> {
        let name = |schedule| name(&deployment.owner, &deployment.id, schedule);
        deployment.due_schedule().map(|schedule| Timer { name: name(schedule), rings: true }).into_iter().collect()
    }

    fn all(&self) -> BoxFuture<'_, Result<HashMap<String, bool>, Error>> {
        let state = self.state();
        let named = |((owner, id), ticking): (&DeploymentKey, &TimerState)| (name(owner, id, &ticking.schedule), true);
        Box::pin(std::future::ready(Ok(state.timers.iter().map(named).collect())))
    }

    fn delete<'a>(&'a self, gone: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        let mut state = self.state();
        let found = state.timers.iter().find(|((owner, id), at)| name(owner, id, &at.schedule) == gone);
        if let Some(whose) = found.map(|(whose, _)| whose.clone()) {
            state.remove(&whose);
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Owners hold no `#`, so two timers never share a name.
fn name(owner: &OwnerId, id: &DeploymentId, schedule: &Schedule) -> String {
    format!("{owner}#{} {}#{}", schedule.as_str(), schedule.zone().as_str(), tidemill_store::keys::spelled(id))
}
