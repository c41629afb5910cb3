//! The functions that concern tasks, called in all the ways that reach other items. `permissions.rs` compares what they do
//! with what the template allows.

use crate::given::tasks::{Caller, caller};
use crate::given::{chain, echo};
use crate::permissions::{Seen, ana, execute, sweep};
use http::Method;
use serde_json::{Value, json};
use tidemill_model::ids::OwnerId;
use tidemill_operations::answer::TaskAnswer;
use tidemill_store::Arriving;
use tidemill_testing::{TestPlane, User, minutes, pipeline};

/// The states in which a look may find a task, and which it may have to settle.
#[derive(Clone, Copy, Debug)]
pub enum Met {
    Open,
    Idle,
    /// The worker of its object is gone.
    Deserted,
    /// The bell of its run is lost.
    Lost,
    /// Its run has ended.
    Finished,
}

pub const ALL: [Met; 5] = [Met::Open, Met::Idle, Met::Deserted, Met::Lost, Met::Finished];

pub async fn task(world: &TestPlane, caller: &Caller, project: &str, met: Met) -> TaskAnswer {
    let of = match met {
        Met::Open | Met::Idle | Met::Deserted => echo(project),
        Met::Lost | Met::Finished => pipeline(project),
    };
    let task = caller.open(of).await.unwrap();
    match met {
        Met::Open => {}
        Met::Idle => world.sleep(minutes(16)),
        Met::Deserted => {
            let (owner, now) = (OwnerId::parse("ana").unwrap(), world.now());
            let object = Arriving { id: "one", name: "one", bytes: 2 };
            world.plane.store.accept(&owner, &task.token, &object, now, now).await.unwrap();
        }
        Met::Lost => world.sleep(minutes(2)),
        Met::Finished => execute(world, project, &task.run).await,
    }
    task
}

/// Calls a function with a task in each state.
async fn each(seen: &mut Seen, function: &'static str, call: impl AsyncFn(&TestPlane, &User, &TaskAnswer)) {
    let world = seen.world().await;
    let (owner, _) = caller(&world, "ana").await;
    for (number, met) in ALL.into_iter().enumerate() {
        let task = task(&world, &owner, &format!("p{number}"), met).await;
        let user = ana(&world).await;
        seen.note(function, &world, call(&world, &user, &task)).await;
    }
}

pub async fn tasks(seen: &mut Seen) {
    opened(seen).await;
    each(seen, "task_list", async |_, user, _| drop(user.get("/v1/tasks").await.ok())).await;
    each(seen, "task_get", async |_, user, task| drop(user.get(&format!("/v1/tasks/{}", task.token)).await.ok())).await;
    each(seen, "task_get", async |_, user, task| drop(user.get(&format!("/v1/tasks/{}", task.run)).await.ok())).await;
    each(seen, "task_pipeline", async |_, user, task| {
        user.get(&format!("/v1/tasks/{}/pipeline", task.run)).await.ok();
    })
    .await;
    each(seen, "task_pipeline", async |_, user, task| {
        user.get(&format!("/v1/tasks/{}/pipeline", task.token)).await.ok();
    })
    .await;
    each(seen, "task_restart", async |_, user, task| {
        let restart = json!({"pipeline": echo(&task.project)});
        user.post(&format!("/v1/tasks/{}/restart", task.token), restart).await;
    })
    .await;
    each(seen, "task_end", async |_, user, task| drop(user.delete(&format!("/v1/tasks/{}", task.token)).await)).await;
    for query in ["", "?project="] {
        each(seen, "run_cancel", async |_, user, task| {
            let project = if query.is_empty() { "" } else { &task.project };
            user.post(&format!("/v1/runs/{}/cancel{query}{project}", task.run), Value::Null).await;
        })
        .await;
    }
    each(seen, "plane_sweep", async |world, _, _| sweep(world).await).await;
    sent(seen).await;
    with_tokens(seen).await;
}

async fn opened(seen: &mut Seen) {
    let world = seen.world().await;
    let (owner, _) = caller(&world, "ana").await;
    let ran = owner.open(pipeline("ran")).await.unwrap();
    seen.note("run_execute", &world, execute(&world, "ran", &ran.run)).await;
    let template = json!({"template": "${ROCKETRIDE_A}"});
    let named =
        chain("named", &[("webhook", json!({}), "text"), ("template", template, "text"), ("log", json!({}), "")]);
    let bodies = [
        json!({"pipeline": named, "variables": {"ROCKETRIDE_A": "a"}}),
        json!({"pipeline": echo("chosen"), "token": "UPLOAD_TASK"}),
        json!({"pipeline": pipeline("runs")}),
    ];
    for body in bodies {
        let user = ana(&world).await;
        seen.note("task_open", &world, user.post("/v1/tasks", body)).await.ok();
    }
    each(seen, "task_open", async |_, user, task| {
        let body = json!({"pipeline": echo(&task.project), "useExisting": true});
        user.post("/v1/tasks", body).await;
    })
    .await;
}

async fn sent(seen: &mut Seen) {
    let world = seen.world().await;
    let (owner, user) = caller(&world, "ana").await;
    user.put("/v1/secrets/TOKEN", json!({"value": "t"})).await.ok();
    let links = [
        ("webhook", json!({}), "text"),
        ("dedupe", json!({}), "text"),
        ("template", json!({"template": "${TOKEN} ${ROCKETRIDE_A}"}), "text"),
        ("log", json!({}), ""),
    ];
    let task =
        owner.open_with(json!({"pipeline": chain("p", &links), "variables": {"ROCKETRIDE_A": "a"}})).await.unwrap();
    let user = ana(&world).await;
    let path = format!("/v1/tasks/{}/objects", task.token);
    let once = user.send(Method::POST, &path, &[("content-type", "text/plain")], b"once".to_vec());
    seen.note("task_send", &world, once).await.ok();

    let last = owner.pipe(&task.token).await.unwrap();
    owner.end(&task.token).await.unwrap();
    seen.note("task_send", &world, last.close()).await.unwrap();
    let user = ana(&world).await;
    let late = user.send(Method::POST, &path, &[("content-type", "text/plain")], b"late".to_vec());
    seen.note("task_send", &world, late).await.refused(409);
}

/// A task's own token is looked up where a key is.
async fn with_tokens(seen: &mut Seen) {
    let world = seen.world().await;
    let (owner, _) = caller(&world, "ana").await;
    let task = owner.open(echo("p")).await.unwrap();
    let user = User::new(world.plane.clone(), &task.token, "");
    seen.note("task_open", &world, user.post("/task", echo("q"))).await;
    seen.note("task_get", &world, user.get("/task")).await.ok();
    seen.note("plane_status", &world, user.get("/status")).await;
    let sender = User::new(world.plane.clone(), &task.public_token, "");
    seen.note("task_send", &world, sender.post("/webhook", json!("hi"))).await.ok();
    seen.note("task_end", &world, user.delete("/task")).await.ok();
    let user = ana(&world).await;
    seen.note("plane_status", &world, user.get("/v1/status")).await.ok();
}
