//! The functions of environments and versions, called in all the ways that reach other items.

use crate::given::environments::{at, named, on_schedule, timer};
use crate::permissions::{Seen, ana, once};
use http::Method;
use serde_json::{Value, json};
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::OwnerId;
use tidemill_model::version::sha256;
use tidemill_operations::{Bell, QueueKind};
use tidemill_protocols::functions::bell_handler;
use tidemill_testing::{TestPlane, minutes};

pub async fn environments(seen: &mut Seen) {
    added(seen).await;
    moved(seen).await;
    changed(seen).await;
    let world = seen.world().await;
    let user = ana(&world).await;
    seen.note("schedule_preview", &world, user.get("/v1/schedule?schedule=@daily")).await.ok();
}

async fn added(seen: &mut Seen) {
    let world = seen.world().await;
    let path = "/v1/deployments/p/versions";
    let bodies = [
        json!({"pipeline": named("v1")}),
        json!({"pipeline": named("v2")}),
        json!({"pipeline": named("v3"), "environment": "staging"}),
    ];
    for body in bodies {
        let user = ana(&world).await;
        seen.note("version_add", &world, user.post(path, body)).await.ok();
    }
    for _ in 0..2 {
        let user = ana(&world).await;
        seen.note("version_add", &world, once(&user, Method::POST, path, json!({"pipeline": named("v4")}))).await;
    }
    let world = seen.world().await;
    let user = on_schedule(&world, "* * * * *").await;
    world.advance(minutes(1)).await;
    world.sleep(minutes(1));
    let deploying = json!({"pipeline": named("v3"), "environment": "staging"});
    seen.note("version_add", &world, user.post(path, deploying)).await.ok();
}

/// Version 3 has another plan than the others, so that each move to it or away from it stores one.
async fn with_another_plan(world: &TestPlane) {
    let user = on_schedule(world, "* * * * *").await;
    let mut renamed = named("v3");
    renamed["components"][1]["id"] = "log_2".into();
    user.post("/v1/deployments/p/versions", json!({"pipeline": renamed})).await.ok();
}

/// Deploys, promotes and rolls back where a timer rings, with due ticks, and where nothing was before.
async fn moved(seen: &mut Seen) {
    let world = seen.world().await;
    with_another_plan(&world).await;
    let (deploy, promote) = (json!({"version": 3}), json!({"from": "testing"}));
    let promotion = |environment: &str| format!("{}/promote", at(environment));
    let (staging, to_staging, to_other) = (at("staging"), promotion("staging"), promotion("other"));
    world.sleep(minutes(1));
    let user = ana(&world).await;
    seen.note("environment_deploy", &world, once(&user, Method::PUT, &staging, deploy)).await;
    let user = ana(&world).await;
    let testing = at("testing");
    seen.note("environment_deploy", &world, user.put(&testing, json!({"version": 2}))).await.ok();
    world.settle().await;
    world.sleep(minutes(1));
    let user = ana(&world).await;
    seen.note("environment_promote", &world, once(&user, Method::POST, &to_staging, promote.clone())).await;
    let user = ana(&world).await;
    seen.note("environment_promote", &world, user.post(&to_other, promote)).await.ok();
    world.settle().await;
    world.sleep(minutes(1));
    let user = ana(&world).await;
    let path = format!("{}/rollback", at("staging"));
    let back = seen.note("environment_rollback", &world, once(&user, Method::POST, &path, json!({}))).await;
    assert_eq!(back["version"], 3, "{back}");
}

/// Lets the plan of the timer be one that an earlier compiler made.
async fn age_plan(world: &TestPlane) {
    let (owner, store) = (OwnerId::parse("ana").unwrap(), &world.plane.store);
    let before = store.deployment(&owner, &timer()).await.unwrap().unwrap();
    let plan_sha256 = Some(sha256(b"another"));
    let after = Deployment { plan_sha256, revision: before.revision + 1, ..before.clone() };
    store.transaction().deployment(&after, before.revision).unwrap().commit().await.unwrap();
}

async fn changed(seen: &mut Seen) {
    let world = seen.world().await;
    on_schedule(&world, "* * * * *").await;
    for query in ["", "?environment=staging"] {
        let user = ana(&world).await;
        seen.note("environment_list", &world, user.get(&format!("/v1/environments{query}"))).await.ok();
    }
    for (function, path) in [("environment_get", ""), ("environment_history", "/history")] {
        let user = ana(&world).await;
        seen.note(function, &world, user.get(&format!("{}{path}", at("staging")))).await.ok();
    }
    let user = ana(&world).await;
    let path = format!("{}/run", at("staging"));
    let run = user.post(&path, json!({"source": "timer_1"}));
    seen.note("environment_run", &world, run).await.ok();
    for body in [json!({"schedule": {"schedule": "*/2 * * * *"}}), json!({"paused": true}), json!({"paused": false})] {
        world.sleep(minutes(2));
        age_plan(&world).await;
        let user = ana(&world).await;
        let path = format!("{}/sources/timer_1", at("staging"));
        seen.note("environment_source", &world, user.patch(&path, body)).await.ok();
    }
    world.sleep(minutes(2));
    let tick = Bell::Tick { owner: OwnerId::parse("ana").unwrap(), deployment: timer() };
    bell_handler(QueueKind::Ticks)(&world.plane, tick, None).await.unwrap();
    for (function, path) in [("environment_disable", "/disable"), ("environment_enable", "/enable")] {
        world.sleep(minutes(2));
        age_plan(&world).await;
        let user = ana(&world).await;
        seen.note(function, &world, user.post(&format!("{}{path}", at("staging")), Value::Null)).await.ok();
    }
    world.sleep(minutes(2));
    let user = ana(&world).await;
    seen.note("environment_remove", &world, user.delete(&at("staging"))).await.ok();
}
