//! The functions that concern rollouts, called in all the ways that reach other items. `permissions.rs` compares what
//! they do with what the template allows.

use crate::given::echo;
use crate::given::rollouts::{begin, rollout, wanted};
use crate::permissions::{Seen, ana, stopped, sweep, with_waiting_run};
use http::Method;
use serde_json::{Value, json};
use tidemill_model::ids::{GroupName, OwnerId, RolloutId};
use tidemill_operations::{Bell, QueueKind};
use tidemill_protocols::functions::bell_handler;
use tidemill_testing::{TestPlane, minutes, seconds};

async fn execute(world: &TestPlane, group: &str, id: &str) {
    let handle = bell_handler(QueueKind::Rollouts);
    let owner = OwnerId::parse("ana").unwrap();
    let (group, rollout) = (GroupName::parse(group).unwrap(), RolloutId::parse(id).unwrap());
    handle(&world.plane, Bell::Rollout { owner, group, rollout }, None).await.unwrap();
}

pub async fn rollouts(seen: &mut Seen) {
    carried_out(seen).await;
    asked_about(seen).await;
    deserted(seen).await;
}

async fn carried_out(seen: &mut Seen) {
    let world = seen.world().await;
    let mut scheduled = rollout("night", &["a", "b", "c"], "old");
    scheduled["pipelines"][0]["schedule"] = "* * * * *".into();
    let mut failing = rollout("night", &["a"], "old");
    failing["createOnly"] = true.into();
    let mut changed = rollout("night", &["a"], "new");
    changed["pipelines"].as_array_mut().unwrap().push(wanted("c", "old"));
    for request in [scheduled.clone(), failing, changed, scheduled, rollout("day", &["a"], "x")] {
        world.sleep(minutes(2));
        let user = ana(&world).await;
        let group = request["group"].as_str().unwrap().to_owned();
        let headers = [("content-type", "application/json"), ("idempotency-key", "once")];
        let start = user.send(Method::POST, "/v1/rollouts", &headers, request.to_string().into_bytes());
        let body = match group.as_str() {
            "day" => seen.note("rollout_start", &world, start).await.ok(),
            _ => seen.note("rollout_start", &world, user.post("/v1/rollouts", request)).await.ok(),
        };
        seen.note("rollout_execute", &world, execute(&world, &group, body["id"].as_str().unwrap())).await;
    }
    let hooked = json!({"group": "hooked", "pipelines": [{"pipeline": echo("w")}]});
    for is_stopped in [false, true] {
        if is_stopped {
            with_waiting_run(&world, "w").await;
            stopped(&world, "w").await;
        }
        let begun = begin(&ana(&world).await, hooked.clone()).await;
        seen.note("rollout_execute", &world, execute(&world, "hooked", &begun)).await;
    }
    let user = ana(&world).await;
    let removed = user.delete("/v1/groups/night?keep=true");
    let removed = seen.note("group_remove", &world, removed).await.ok();
    let user = ana(&world).await;
    seen.note("group_remove", &world, user.delete("/v1/groups/night")).await.refused(409);
    seen.note("rollout_execute", &world, execute(&world, "night", removed["id"].as_str().unwrap())).await;
}

async fn asked_about(seen: &mut Seen) {
    let world = seen.world().await;
    let user = ana(&world).await;
    let done = begin(&user, rollout("night", &["a"], "old")).await;
    world.settle().await;
    let waiting = begin(&user, rollout("night", &["a"], "new")).await;
    let request = rollout("night", &["b"], "new");
    let user = ana(&world).await;
    seen.note("rollout_start", &world, user.post("/v1/rollouts", request.clone())).await.refused(409);
    let user = ana(&world).await;
    seen.note("rollout_preview", &world, user.post("/v1/rollouts/preview", rollout("night", &["a"], "x"))).await.ok();
    for id in [&done, &waiting] {
        let user = ana(&world).await;
        seen.note("rollout_get", &world, user.get(&format!("/v1/rollouts/{id}"))).await.ok();
        let user = ana(&world).await;
        seen.note("rollout_wait", &world, user.get(&format!("/v1/rollouts/{id}/completion?wait=0"))).await.ok();
        let user = ana(&world).await;
        seen.note("rollout_cancel", &world, user.post(&format!("/v1/rollouts/{id}/cancel"), Value::Null)).await.ok();
    }
    let user = ana(&world).await;
    let followed = async { user.follow(&format!("/v1/rollouts/{done}/events"), &[]).await.rest().await };
    seen.note("rollout_follow", &world, followed).await;
    let user = ana(&world).await;
    seen.note("rollout_list", &world, user.get("/v1/rollouts?group=night")).await.ok();
    let user = ana(&world).await;
    seen.note("group_add", &world, user.post("/v1/groups", json!({"group": "new"}))).await.ok();
    let user = ana(&world).await;
    seen.note("group_list", &world, user.get("/v1/groups")).await.ok();
    let user = ana(&world).await;
    seen.note("group_get", &world, user.get("/v1/groups/night")).await.ok();
}

async fn deserted(seen: &mut Seen) {
    let world = seen.world().await;
    let user = ana(&world).await;
    begin(&user, rollout("night", &["a"], "old")).await;
    world.sleep(minutes(2));
    let doctor = ana(&world).await;
    seen.note("plane_doctor", &world, doctor.post("/v1/doctor?fix=true", Value::Null)).await.ok();
    seen.note("plane_sweep", &world, sweep(&world)).await;
    world.sleep(minutes(15) + seconds(60));
    seen.note("plane_sweep", &world, sweep(&world)).await;
}
