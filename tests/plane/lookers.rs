//! Callers who may only look: what is a right in itself is shown to them in no protocol.

use crate::given::checkly::{deploy, envelope};
use crate::given::echo;
use crate::given::objects::{execute, monitor, received, send};
use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_testing::{TestPlane, User};

/// A world with a deployment, a rollout, an open task and an ended one.
struct Shown {
    world: TestPlane,
    ana: User,
    looker: User,
    /// Of the open task.
    token: String,
    /// All that a looker must not see: tokens, and the ids of hooks.
    rights: Vec<String>,
    run: String,
}

async fn shown() -> Shown {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let looker = world.user_with("ana", &[Scope::Monitor]).await;
    let hook = ana.deploy(echo("p"), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    let hook = hook.strip_prefix("/hooks/").unwrap().to_owned();
    let open = async |project: &str| ana.post("/v1/tasks", json!({"pipeline": echo(project)})).await.ok();
    let (task, ended) = (open("q").await, open("r").await);
    let text = |task: &Value, name: &str| task[name].as_str().unwrap().to_owned();
    let token = text(&task, "token");
    ana.post(&format!("/v1/tasks/{token}/objects"), json!({"a": 1})).await.ok();
    ana.delete(&format!("/v1/tasks/{}", text(&ended, "token"))).await.ok();
    world.settle().await;
    let rights =
        vec![hook, token.clone(), text(&task, "publicToken"), text(&ended, "token"), text(&ended, "publicToken")];
    Shown { run: text(&task, "run"), world, ana, looker, token, rights }
}

impl Shown {
    #[track_caller]
    fn hides(&self, place: &str, answer: &Value) {
        let text = answer.to_string();
        for right in &self.rights {
            assert!(!text.contains(right.as_str()), "{place} shows `{right}`: {text}");
        }
    }
}

#[tokio::test]
async fn a_key_that_may_only_look_sees_no_task_token_and_no_hook_over_http() {
    let shown = shown().await;
    let group = envelope("group", []);
    deploy(&shown.world, &shown.ana, &group).await;
    let run = &shown.run;

    for path in [
        "/v1/deployments",
        "/v1/deployments/p",
        "/v1/deployments/p/versions",
        "/v1/deployments/p/versions/1",
        "/v1/deployments/p/ticks",
        "/v1/tasks",
        "/v1/runs",
        "/v1/groups",
        "/v1/rollouts",
        "/v1/environments",
        "/v1/status",
        "/v1/me",
        "/v1/providers",
        "/next/projects",
        "/status",
        &format!("/v1/runs/{run}"),
        &format!("/v1/runs/{run}/logs"),
        &format!("/v1/tasks/{run}"),
        &format!("/v1/tasks/{run}/pipeline"),
    ] {
        let answer = shown.looker.get(path).await.ok();
        shown.hides(path, &answer);
    }
    // Those who may act see them, and a token that a looker was given still shows its task.
    let task = shown.looker.get(&format!("/v1/tasks/{}", shown.token)).await.ok();
    assert_eq!((&task["token"], &task["run"]), (&json!(run), &json!(run)));
    assert_eq!(shown.ana.get(&format!("/v1/tasks/{run}")).await.ok()["token"], shown.token);
    assert_eq!(shown.looker.get("/v1/deployments/p").await.ok()["hook"], Value::Null);
    let sender = shown.world.user_with("ana", &[Scope::Data, Scope::Monitor]).await;
    assert_eq!(sender.get("/v1/deployments/p").await.ok()["hook"], format!("/hooks/{}", shown.rights[0]));
}

#[tokio::test]
async fn a_run_s_id_shows_a_task_and_gives_no_right_to_it() {
    let Shown { world, ana, looker, run, .. } = shown().await;

    looker.get(&format!("/v1/tasks/{run}")).await.ok();

    for user in [&looker, &ana] {
        assert_ne!(user.delete(&format!("/v1/tasks/{run}")).await.status, 200);
        assert_ne!(user.post(&format!("/v1/tasks/{run}/objects"), json!({})).await.status, 200);
    }
    assert_eq!(world.user("bob").await.get(&format!("/v1/tasks/{run}")).await.status, 404);
}

#[tokio::test]
async fn a_key_that_may_only_look_sees_no_task_token_and_no_hook_over_a_websocket() {
    let shown = shown().await;
    let mut doer = shown.world.socket(&shown.ana).await;
    let mut looker = shown.world.socket(&shown.looker).await;
    monitor(&mut doer, json!({"token": shown.token}), json!(["all"])).await;

    let at_once = monitor(&mut looker, json!({"token": "*"}), json!(["all"])).await;
    let token = execute(&mut doer, echo("s"), json!({"source": "webhook_1"})).await;
    send(&mut doer, &token, "hi").await;
    let events = received(&mut looker).await;

    assert!(!at_once.is_empty() && !events.is_empty());
    let mut rights = shown.rights.clone();
    rights.push(token.clone());
    let shown = Shown { rights, ..shown };
    shown.hides("an event", &json!([at_once, events]));
    let mut tasks = Value::Null;
    for (command, arguments) in [
        ("rrext_get_token", json!({"projectId": "s", "source": "webhook_1"})),
        ("rrext_dashboard", json!({})),
        ("rrext_list_tasks", json!({})),
        ("rrext_list_connections", json!({})),
        ("rrext_deploy_list", json!({})),
        ("rrext_deploy_status", json!({"projectId": "p"})),
        ("rrext_get_tasks", json!({})),
    ] {
        let answer = looker.ask(command, arguments).await.ok();
        shown.hides(command, &answer);
        tasks = answer;
    }
    // What stands there instead shows the task.
    let address = tasks["tasks"][0]["token"].as_str().unwrap().to_owned();
    let status = looker.ask("rrext_get_task_status", json!({"token": address})).await.ok();
    assert_eq!(status["state"], 3);
    shown.hides("rrext_get_task_status", &status);
    looker.ask("rrext_get_pipeline", json!({"token": address})).await.ok();
    let given = looker.ask("rrext_get_token", json!({"projectId": "s", "source": "webhook_1"})).await.ok();
    let acting = doer.ask("rrext_get_token", json!({"projectId": "s", "source": "webhook_1"})).await.ok();
    assert_eq!((given["token"] != acting["token"], acting["token"].as_str()), (true, Some(token.as_str())));
}
