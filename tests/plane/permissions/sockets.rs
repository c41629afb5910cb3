//! The functions that answer WebSockets, called in all the ways that reach other items. `permissions.rs` compares what they
//! do with what the template allows.

use crate::given::environments::{named, staging};
use crate::given::tasks::caller;
use crate::given::{chain, echo};
use crate::permissions::tasks::{ALL, task};
use crate::permissions::{Seen, ana, notify, sweep, tick};
use serde_json::{Value, json};
use tidemill_model::ids::OwnerId;
use tidemill_operations::Bell;
use tidemill_operations::socket::{STRANGERS_LIMIT, WAITING_LIMIT};
use tidemill_testing::{TestPlane, User, Visitor, minutes, pipeline};

pub async fn sockets(seen: &mut Seen) {
    opened_and_closed(seen).await;
    connections(seen).await;
    deployments(seen).await;
    environments(seen).await;
    tasks(seen).await;
    notified(seen).await;
}

async fn notified(seen: &mut Seen) {
    let bell = || Bell::Watch { owner: OwnerId::parse("ana").unwrap() };
    for met in ALL {
        let world = seen.world().await;
        let (owner, _) = caller(&world, "ana").await;
        let task = task(&world, &owner, "p", met).await;
        let by_token = json!({"token": task.token, "types": ["summary"]});
        let mut other = visitor(seen, &world, &ana(&world).await).await;
        other.ask("rrext_monitor", by_token).await.ok();
        world.sleep(minutes(60));
        seen.note("socket_notify", &world, notify(&world, bell())).await;
    }
    let world = seen.world().await;
    let (owner, _) = caller(&world, "ana").await;
    let logging = chain("p", &[("webhook", json!({}), "text"), ("log", json!({}), "")]);
    let task = owner.open(logging).await.unwrap();
    owner.send(&task.token, "logged").await.unwrap();
    world.sleep(minutes(1));
    seen.note("socket_notify", &world, notify(&world, bell())).await;

    let world = seen.unwatched_world().await;
    let user = ana(&world).await;
    let (mut quiet, gone) = (world.visits(&user).await, world.visits(&user).await);
    quiet.ask("rrext_monitor", json!({"token": "*", "types": ["summary"]})).await.ok();
    quiet.ask("rrext_monitor", json!({"token": "*", "types": []})).await.ok();
    gone.leave().await;
    seen.note("socket_notify", &world, notify(&world, bell())).await;
    ana(&world).await.delete(&format!("/v1/keys/{}", user.key_id)).await.ok();
    world.sleep(minutes(1));
    seen.note("socket_notify", &world, notify(&world, bell())).await;
    let _late = world.visitor(1).await.unwrap();
    world.sleep(minutes(1));
    seen.note("plane_sweep", &world, sweep(&world)).await;
    seen.note("socket_notify", &world, notify(&world, Bell::Strangers)).await;
}

/// One command of a new key, from a new connection.
async fn asked(seen: &mut Seen, world: &TestPlane, command: &str, arguments: Value) -> Value {
    let mut visitor = visitor(seen, world, &ana(world).await).await;
    seen.note("socket_receive", world, visitor.send(command, arguments)).await.unwrap();
    visitor.reply().0["body"].clone()
}

async fn visitor(seen: &mut Seen, world: &TestPlane, user: &User) -> Visitor {
    let mut visitor = world.visitor(1).await.unwrap();
    seen.note("socket_receive", world, visitor.ask("auth", json!({"auth": user.key}))).await.ok();
    visitor
}

async fn opened_and_closed(seen: &mut Seen) {
    let world = seen.world().await;
    let mut stranger = world.visitor(1).await.unwrap();
    for _ in 0..STRANGERS_LIMIT + WAITING_LIMIT {
        // The last one is turned away.
        let _ = seen.note("socket_open", &world, world.visitor(1)).await;
    }
    seen.note("socket_receive", &world, stranger.send("rrext_public_probe", json!({}))).await.unwrap();
    let known = world.visitor(2).await.unwrap();
    seen.note("socket_close", &world, known.leave()).await;
    let mut known = world.visitor(2).await.unwrap();
    known.ask("auth", json!({"auth": ana(&world).await.key})).await.ok();
    seen.note("socket_close", &world, known.leave()).await;
}

async fn connections(seen: &mut Seen) {
    let world = seen.world().await;
    let user = ana(&world).await;
    let mut known = visitor(seen, &world, &user).await;
    for (command, arguments) in [
        ("rrext_public_probe", json!({})),
        ("rrext_identify", json!({"clientName": "x"})),
        ("rrext_monitor", json!({"token": "*", "types": ["task", "summary", "output"]})),
        ("rrext_dashboard", json!({})),
        ("rrext_services", json!({})),
        ("rrext_validate", json!({"pipeline": pipeline("p")})),
        ("deauth", json!({})),
        ("rrext_ping", json!({})),
    ] {
        seen.note("socket_receive", &world, known.send(command, arguments)).await.unwrap();
    }
    let mut gone = visitor(seen, &world, &user).await;
    gone.vanish();
    seen.note("socket_receive", &world, gone.send("rrext_ping", json!({}))).await.unwrap();
}

async fn deployments(seen: &mut Seen) {
    let world = seen.world().await;
    asked(seen, &world, "rrext_deploy_add", json!({"pipeline": pipeline("p"), "schedule": "* * * * *"})).await;
    world.advance(minutes(2)).await;
    asked(seen, &world, "rrext_get_tasks", json!({})).await;
    seen.note("socket_notify", &world, notify(&world, Bell::Watch { owner: OwnerId::parse("ana").unwrap() })).await;
    world.sleep(minutes(2));
    seen.note("deployment_tick", &world, tick(&world, "p")).await;
    world.sleep(minutes(2));
    let mut changed = pipeline("p");
    changed["name"] = "changed".into();
    asked(seen, &world, "rrext_deploy_update", json!({"projectId": "p", "pipeline": changed})).await;
    asked(seen, &world, "rrext_deploy_update", json!({"projectId": "p", "schedule": "manual"})).await;
    asked(seen, &world, "rrext_deploy_status", json!({"projectId": "p"})).await;
    asked(seen, &world, "rrext_deploy_list", json!({})).await;
    asked(seen, &world, "rrext_deploy_remove", json!({"projectId": "p"})).await;
}

async fn environments(seen: &mut Seen) {
    let world = seen.world().await;
    let user = ana(&world).await;
    let deploy = |subcommand: &str, more: Value| ("rrext_deploy", staging(subcommand, more));
    let pipe = |subcommand: &str, more: Value| ("rrext_deploy_pipe", staging(subcommand, more));
    let of_source = |more: Value| {
        let mut all = json!({"sourceId": "timer_1"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    for (command, arguments) in [
        deploy("add", json!({"kind": "pipe", "pipeline": named("v1")})),
        deploy("add", json!({"kind": "pipe", "pipeline": named("v2")})),
        deploy("versions", json!({})),
        deploy("artifact", json!({"version": 1})),
        pipe("deploy", json!({"version": 1})),
        pipe("list", json!({})),
        pipe("get", json!({})),
        pipe("schedule_set", of_source(json!({"schedule": "* * * * *"}))),
        pipe("run", of_source(json!({}))),
        pipe("deploy", json!({"version": 2})),
        pipe("schedule_pause", of_source(json!({}))),
        pipe("schedule_resume", of_source(json!({}))),
        pipe("source_config", of_source(json!({"traceLevel": "none"}))),
        pipe("preview", json!({"schedule": "* * * * *"})),
        pipe("disable", json!({})),
        pipe("enable", json!({})),
        deploy("history", json!({})),
        pipe("remove", json!({})),
    ] {
        let mut visitor = world.visits(&user).await;
        seen.note("socket_receive", &world, visitor.send(command, arguments)).await.unwrap();
        world.sleep(minutes(1));
    }
}

async fn tasks(seen: &mut Seen) {
    let world = seen.world().await;
    let template = json!({"template": "${ROCKETRIDE_A}"});
    let named =
        chain("named", &[("webhook", json!({}), "text"), ("template", template, "text"), ("log", json!({}), "")]);
    asked(seen, &world, "execute", json!({"pipeline": named, "env": {"ROCKETRIDE_A": "a"}})).await;
    for command in [
        "execute",
        "restart",
        "terminate",
        "rrext_get_task_status",
        "rrext_get_token",
        "rrext_get_tasks",
        "rrext_get_pipeline",
        "rrext_monitor",
        "rrext_dashboard",
    ] {
        let world = seen.world().await;
        let (owner, _) = caller(&world, "ana").await;
        for (number, met) in ALL.into_iter().enumerate() {
            let task = task(&world, &owner, &format!("p{number}"), met).await;
            let arguments = json!({
                "token": task.token, "pipeline": echo(&task.project), "useExisting": true, "types": ["summary"],
            });
            let arguments = match command {
                "rrext_get_token" => json!({"projectId": task.project, "source": task.source}),
                "execute" => json!({"pipeline": echo(&task.project), "useExisting": true}),
                _ => arguments,
            };
            asked(seen, &world, command, arguments).await;
        }
    }
    let world = seen.world().await;
    let (owner, _) = caller(&world, "ana").await;
    let task = owner.open(echo("p")).await.unwrap();
    let mut confined = visitor(seen, &world, &User::new(world.plane.clone(), &task.token, "")).await;
    seen.note("socket_receive", &world, confined.send("terminate", json!({"token": task.token}))).await.unwrap();
}
