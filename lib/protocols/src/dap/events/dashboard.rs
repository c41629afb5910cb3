//! What happens on an owner's dashboard (`apaevt_dashboard`): connections that come and go and what they monitor, which
//! this process alone knows, and tasks, which the table knows. A login that failed belongs to nobody, so nobody is told.

use super::{Asker, Event, Known, tasks};
use crate::dap::connections::What;
use crate::task_status::{self, unix};
use serde_json::{Value, json};
use tidemill_operations::answer::TaskStatus;

/// What happened to connections since a number; gives the number to go on from.
pub fn of_connections(asker: &Asker<'_>, since: u64) -> (Vec<Event>, u64) {
    let now = asker.connections.now();
    let told = |happened: crate::dap::connections::Happened| {
        let mut body = json!({
            "connectionId": happened.connection,
            "clientName": happened.client.name,
            "clientVersion": happened.client.version,
        });
        body["action"] = match happened.what {
            What::LoggedIn => {
                body["clientId"] = asker.call.owner.as_str().into();
                "connection_added".into()
            }
            What::Gone => "connection_removed".into(),
            What::Subscribed(key) => monitor_changed(&mut body, key, "subscribed"),
            What::Unsubscribed(key) => monitor_changed(&mut body, key, "unsubscribed"),
        };
        event(asker, body)
    };
    (asker.connections.since(&asker.call.owner, since).into_iter().map(told).collect(), now)
}

fn monitor_changed(body: &mut Value, key: String, change: &str) -> Value {
    body["key"] = key.into();
    body["change"] = change.into();
    "monitor_changed".into()
}

/// What a task's changes are there.
pub fn of_task(asker: &Asker<'_>, before: Option<&Known>, task: &TaskStatus) -> Vec<Event> {
    tasks::actions(before, task).iter().map(|action| of_action(asker, action, task)).collect()
}

fn of_action(asker: &Asker<'_>, action: &str, task: &TaskStatus) -> Event {
    let mut body = json!({"taskId": task.id, "action": "task_started"});
    if action == "end" {
        let status = task_status::of(task, asker.plane.now());
        body["action"] = "task_stopped".into();
        if status["exitCode"] != 0 {
            body["action"] = "task_error".into();
            body["exitCode"] = status["exitCode"].clone();
            body["exitMessage"] = status["exitMessage"].clone();
        }
    }
    event(asker, body)
}

/// A task that ended and cannot be asked about any more.
pub fn forgotten(asker: &Asker<'_>, task: &Known) -> Option<Event> {
    let body = json!({"action": "task_removed", "taskId": task.id});
    (!task.is_running).then(|| event(asker, body))
}

fn event(asker: &Asker<'_>, mut body: Value) -> Event {
    body["timestamp"] = unix(asker.plane.now()).into();
    ("apaevt_dashboard", body)
}
