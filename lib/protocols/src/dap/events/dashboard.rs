//! What happens on an owner's dashboard (`apaevt_dashboard`): connections that come and go and what they monitor, which
//! this process alone knows, and tasks, which the table knows. A failed login has no owner, so it is not shown.

use super::{Event, Recipient, TaskProgress, tasks};
use crate::dap::connections::ConnectionChange;
use crate::task_status::{self, unix};
use serde_json::{Value, json};
use tidemill_operations::answer::TaskStatus;

/// What happened to connections since a number; gives the number to go on from.
pub fn of_connections(recipient: &Recipient<'_>, since: u64) -> (Vec<Event>, u64) {
    let now = recipient.connections.now();
    let shown = |happened: crate::dap::connections::ConnectionEvent| {
        let mut body = json!({
            "connectionId": happened.connection,
            "clientName": happened.client.name,
            "clientVersion": happened.client.version,
        });
        body["action"] = match happened.change {
            ConnectionChange::LoggedIn => {
                body["clientId"] = recipient.call.owner.as_str().into();
                "connection_added".into()
            }
            ConnectionChange::Gone => "connection_removed".into(),
            ConnectionChange::Subscribed(key) => monitor_changed(&mut body, key, "subscribed"),
            ConnectionChange::Unsubscribed(key) => monitor_changed(&mut body, key, "unsubscribed"),
        };
        event(recipient, body)
    };
    (recipient.connections.since(&recipient.call.owner, since).into_iter().map(shown).collect(), now)
}

fn monitor_changed(body: &mut Value, key: String, change: &str) -> Value {
    body["key"] = key.into();
    body["change"] = change.into();
    "monitor_changed".into()
}

/// What a task's changes are there.
pub fn of_task(recipient: &Recipient<'_>, before: Option<&TaskProgress>, task: &TaskStatus) -> Vec<Event> {
    tasks::actions(before, task).iter().map(|action| of_action(recipient, action, task)).collect()
}

fn of_action(recipient: &Recipient<'_>, action: &str, task: &TaskStatus) -> Event {
    let mut body = json!({"taskId": task.id, "action": "task_started"});
    if action == "end" {
        let status = task_status::of(task, recipient.plane.now());
        body["action"] = "task_stopped".into();
        if status["exitCode"] != 0 {
            body["action"] = "task_error".into();
            body["exitCode"] = status["exitCode"].clone();
            body["exitMessage"] = status["exitMessage"].clone();
        }
    }
    event(recipient, body)
}

/// A task that ended and cannot be asked about any more.
pub fn forgotten(recipient: &Recipient<'_>, task: &TaskProgress) -> Option<Event> {
    let body = json!({"action": "task_removed", "taskId": task.id});
    (!task.is_running).then(|| event(recipient, body))
}

fn event(recipient: &Recipient<'_>, mut body: Value) -> Event {
    body["timestamp"] = unix(recipient.plane.now()).into();
    ("apaevt_dashboard", body)
}
