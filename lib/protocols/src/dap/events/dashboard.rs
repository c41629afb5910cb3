//! What happens on an owner's dashboard (`apaevt_dashboard`): connections that come and go and what they monitor, which
//! this process alone knows, and tasks, which the table knows. A login that failed belongs to nobody, so nobody is told.

use super::{Asker, Event, Known as KnownTask, tasks};
use crate::dap::connections::Connection;
use crate::task_status::{self, unix};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidemill_operations::answer::TaskStatus;

/// The connections that were told of, by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known(BTreeMap<u64, Connection>);

impl Known {
    pub fn at_present(asker: &Asker<'_>) -> Known {
        let now = asker.connections.of(&asker.call.owner);
        Known(now.into_iter().map(|connection| (connection.id, connection)).collect())
    }

    /// What has changed since.
    pub fn changes(&mut self, asker: &Asker<'_>) -> Vec<Event> {
        let before = std::mem::replace(self, Known::at_present(asker)).0;
        let mut events = Vec::new();
        for (id, connection) in &self.0 {
            if !before.contains_key(id) {
                let mut body = of_connection("connection_added", connection);
                body["clientId"] = asker.call.owner.as_str().into();
                events.push(event(asker, body));
            }
            let none = BTreeMap::new();
            let monitored = before.get(id).map_or(&none, |before| &before.monitors);
            let changed = |key: &String, change: &str| {
                let mut body = of_connection("monitor_changed", connection);
                body["key"] = key.clone().into();
                body["change"] = change.into();
                event(asker, body)
            };
            for (key, flags) in &connection.monitors {
                if monitored.get(key) != Some(flags) {
                    events.push(changed(key, "subscribed"));
                }
            }
            let gone = monitored.keys().filter(|key| !connection.monitors.contains_key(*key));
            events.extend(gone.map(|key| changed(key, "unsubscribed")));
        }
        let gone = before.values().filter(|connection| !self.0.contains_key(&connection.id));
        events.extend(gone.map(|connection| event(asker, of_connection("connection_removed", connection))));
        events
    }
}

fn of_connection(action: &str, connection: &Connection) -> Value {
    json!({
        "action": action,
        "connectionId": connection.id,
        "clientName": connection.client.name,
        "clientVersion": connection.client.version,
    })
}

/// What a task's change is there.
pub fn of_task(asker: &Asker<'_>, before: Option<&KnownTask>, task: &TaskStatus) -> Option<Event> {
    let mut body = json!({"taskId": task.id});
    body["action"] = match tasks::action(before, task)? {
        "end" => {
            let status = task_status::of(task, asker.plane.now());
            match status["exitCode"].as_u64() {
                Some(0) => "task_stopped".into(),
                _ => {
                    body["exitCode"] = status["exitCode"].clone();
                    body["exitMessage"] = status["exitMessage"].clone();
                    "task_error".into()
                }
            }
        }
        _ => "task_started".into(),
    };
    Some(event(asker, body))
}

/// A task that ended and cannot be asked about any more.
pub fn forgotten(asker: &Asker<'_>, task: &KnownTask) -> Option<Event> {
    let body = json!({"action": "task_removed", "taskId": task.id});
    (!task.is_running).then(|| event(asker, body))
}

fn event(asker: &Asker<'_>, mut body: Value) -> Event {
    body["timestamp"] = unix(asker.plane.now()).into();
    ("apaevt_dashboard", body)
}
