//! `rrext_dashboard`: the caller's own connections and tasks, and how long the plane has been up; and either of the two
//! lists by the page.

use super::{CommandRequest, body, page, seconds};
use crate::dap::connections::Connection;
use crate::dap::failure::Failure;
use crate::dap::frame::Body;
use crate::task_status;
use jiff::Timestamp;
use serde_json::{Value, json};
use tidemill_operations::answer::TaskStatus;
use tidemill_operations::{Operation, task};

pub async fn dashboard(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, seat, call, .. } = request;
    let connections = seat.connections();
    let own = connections.of(&call.owner);
    let tasks = task::List::run(&plane, &call, task::list::Input {}).await?.items;
    let now = plane.now();
    body(&json!({
        "overview": {
            "totalConnections": own.len(),
            "activeTasks": tasks.iter().filter(|task| task.ended_at.is_none()).count(),
            "serverUptime": now.duration_since(connections.started_at).as_secs_f64(),
        },
        "connections": own.iter().map(shown).collect::<Vec<_>>(),
        "tasks": tasks.iter().map(|task| shown_task(task, now)).collect::<Vec<_>>(),
    }))
}

/// The caller's tasks, oldest first.
pub async fn list_tasks(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = request;
    let tasks = task::List::run(&plane, &call, task::list::Input {}).await?.items;
    let found = tasks.iter().rev().map(|task| shown_task(task, plane.now())).collect();
    page::page(found, &arguments, &["id", "name", "projectId", "source", "provider", "status"])
}

/// The caller's connections, oldest first.
pub async fn list_connections(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { seat, call, arguments, .. } = request;
    let found = seat.connections().of(&call.owner).iter().map(shown).collect();
    page::page(found, &arguments, &["clientId"])
}

fn shown_task(task: &TaskStatus, now: Timestamp) -> Value {
    let status = task_status::of(task, now);
    json!({
        "id": task.id,
        "name": if task.name.is_empty() { task.id.clone() } else { format!("{}.{}", task.name, task.source) },
        "projectId": task.project,
        "source": task.source,
        "provider": task.provider,
        "launchType": "execute",
        "startTime": status["startTime"],
        "elapsedTime": task.ended_at.unwrap_or(now).duration_since(task.opened_at).as_secs_f64(),
        "completed": status["completed"],
        "status": status["status"],
        "exitCode": status["exitCode"],
        "endTime": task.ended_at.map(seconds),
        // No connection holds a task: each request looks it up.
        "connections": 0,
        "state": status["state"],
        "idleTime": now.duration_since(task.used_at).as_secs().max(0),
        "ttl": task.ttl_seconds,
        "metrics": status["metrics"],
        "totalCount": status["totalCount"],
        "completedCount": status["completedCount"],
        "rateCount": status["rateCount"],
        "rateSize": status["rateSize"],
    })
}

fn shown(connection: &Connection) -> Value {
    let Connection { id, since, last_heard, received, sent, owner, client, monitors, .. } = connection;
    let monitors: Vec<_> = monitors.iter().map(|(key, flags)| json!({"key": key, "flags": flags})).collect();
    json!({
        "id": id,
        "connectedAt": seconds(*since),
        "lastActivity": seconds(*last_heard),
        "messagesIn": received,
        "messagesOut": sent,
        "authenticated": owner.is_some(),
        "clientId": owner,
        "clientInfo": {"name": client.name, "version": client.version},
        "monitors": monitors,
        "attachedTasks": [],
    })
}
