//! What `rrext_monitor` takes, and whose events each monitor receives.

use crate::given::echo;
use crate::given::environments::versions;
use crate::given::objects::{execute, monitor, received};
use serde_json::{Value, json};
use tidemill_testing::{Dap, TestPlane};

async fn pair() -> (TestPlane, Dap, Dap) {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (doer, watcher) = (world.socket(&ana).await, world.socket(&ana).await);
    (world, doer, watcher)
}

/// What the caller's connections monitor.
async fn flags(dap: &mut Dap) -> Vec<Value> {
    let shown = dap.ask("rrext_dashboard", json!({})).await.ok();
    let connections = shown["connections"].as_array().unwrap();
    connections.iter().flat_map(|one| one["monitors"].as_array().unwrap()).map(|one| one["flags"].clone()).collect()
}

#[tokio::test]
async fn all_and_none_are_types_and_unknown_bits_are_not() {
    let (_world, mut doer, mut watcher) = pair().await;
    let every =
        json!(["debugger", "detail", "summary", "output", "flow", "task", "sse", "dashboard", "billing", "deploy"]);
    for (types, expected) in [
        (json!(["ALL"]), vec![every.clone()]),
        (json!(["none"]), vec![]),
        (json!(["all", "none"]), vec![every.clone()]),
        (json!(u32::MAX), vec![every.clone()]),
        (json!(1_u64 << 40 | 4), vec![json!(["summary"])]),
        (json!(-1), vec![every]),
        (json!(1 << 20), vec![]),
    ] {
        monitor(&mut watcher, json!({"token": "*"}), types.clone()).await;
        assert_eq!(flags(&mut doer).await, expected, "{types}");
    }
    let refused = watcher.ask("rrext_monitor", json!({"token": "*", "types": 1.5})).await.refused();
    assert_eq!(refused, "types must be a list of names or a number of bits");
}

#[tokio::test]
async fn a_monitor_of_nothing_subscribes_to_nothing() {
    let (_world, mut doer, mut watcher) = pair().await;

    watcher.ask("rrext_monitor", json!({"types": ["summary", "output"]})).await.ok();
    execute(&mut doer, echo("p"), json!({})).await;

    assert!(received(&mut watcher).await.is_empty() && flags(&mut doer).await.is_empty());
    let refused = watcher.ask("rrext_monitor", json!({"source": "s", "types": ["task"]})).await.refused();
    assert_eq!(refused, "token, or projectId and source, are required");
}

#[tokio::test]
async fn a_monitor_of_an_unknown_token_or_of_another_owners_is_refused() {
    let (world, mut doer, mut watcher) = pair().await;
    let token = execute(&mut doer, echo("p"), json!({})).await;
    let bob = world.user("bob").await;
    let mut stranger = world.socket(&bob).await;

    watcher.ask("rrext_monitor", json!({"token": "tk_unknown", "types": ["task"]})).await.refused();
    stranger.ask("rrext_monitor", json!({"token": token, "types": ["task"]})).await.refused();
    assert!(flags(&mut stranger).await.is_empty(), "it did not subscribe");
    assert_eq!(monitor(&mut watcher, json!({"token": token}), json!(["task"])).await.len(), 1);
    watcher.ask("rrext_monitor", json!({"token": "tk_unknown", "types": []})).await.ok();
}

#[tokio::test]
async fn a_pipe_is_named_by_its_number() {
    let (_world, mut doer, _) = pair().await;
    for id in [json!("abc"), json!(-1), json!(1.5), json!([])] {
        let refused = doer.ask("rrext_monitor", json!({"token": "*", "pipeId": id, "types": 4})).await.refused();
        assert_eq!(refused, "pipeId must be a whole number");
    }
    doer.ask("rrext_monitor", json!({"token": "*", "pipeId": null, "types": 0})).await.ok();
}

fn actions(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().filter_map(|(_, body)| body["action"].as_str()).collect()
}

#[tokio::test]
async fn ones_own_deployed_run_is_monitored_without_a_team() {
    let (_world, mut doer, mut watcher) = pair().await;
    versions(&mut doer, 1).await;
    let deploy = json!({"subcommand": "deploy", "projectId": "p", "teamId": "@me", "version": 1});
    doer.ask("rrext_deploy_pipe", deploy).await.ok();
    let key = json!({"projectId": "p", "source": "timer_1", "runKind": "deploy"});
    monitor(&mut watcher, key, json!(["task"])).await;

    let run = json!({"subcommand": "run", "projectId": "p", "teamId": "@me", "sourceId": "timer_1"});
    doer.ask("rrext_deploy_pipe", run).await.ok();

    assert_eq!(actions(&received(&mut watcher).await), ["begin"]);
}

#[tokio::test]
async fn every_task_of_a_source_is_reported_however_soon_the_next_one_comes() {
    let (_world, mut doer, mut watcher) = pair().await;
    monitor(&mut watcher, json!({"projectId": "p", "source": "webhook_1"}), json!(["task"])).await;

    for _ in 0..3 {
        let token = execute(&mut doer, echo("p"), json!({})).await;
        doer.ask("terminate", json!({"token": token})).await.ok();
    }
    execute(&mut doer, echo("q"), json!({})).await;
    execute(&mut doer, echo("p"), json!({})).await;

    let events = received(&mut watcher).await;
    assert_eq!(actions(&events).iter().filter(|action| **action == "begin").count(), 4, "{events:?}");
    assert_eq!(actions(&events).iter().filter(|action| **action == "end").count(), 3, "{events:?}");
}

#[tokio::test]
async fn runs_of_a_hook_a_schedule_or_a_hand_are_shown_as_tasks() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut watcher = world.socket(&ana).await;
    monitor(&mut watcher, json!({"projectId": "p", "source": "webhook_1"}), json!(["task", "summary"])).await;
    let hook = ana.deploy(echo("p"), "@hourly").await.ok()["hook"].as_str().unwrap().to_owned();

    let text = [("content-type", "text/plain")];
    world.anonymous().send(http::Method::POST, &hook, &text, b"hi".to_vec()).await.ok();
    world.settle().await;
    let of_hook = received(&mut watcher).await;
    ana.post("/v1/deployments/p/runs", json!({"input": "hi"})).await.ok();
    world.settle().await;
    let of_hand = received(&mut watcher).await;
    world.advance(tidemill_testing::minutes(60)).await;
    let of_schedule = received(&mut watcher).await;

    for events in [of_hook, of_hand, of_schedule] {
        assert_eq!(actions(&events), ["begin", "end"], "{events:?}");
        let (_, status) = events.iter().find(|(name, _)| name == "apaevt_status_update").unwrap();
        assert_eq!((&status["project_id"], &status["source"]), (&json!("p"), &json!("webhook_1")), "{status}");
        assert_eq!(status["completed"], true);
    }
    assert!(received(&mut watcher).await.is_empty());
}

#[tokio::test]
async fn tasks_of_other_projects_do_not_run_for_a_monitor_of_one() {
    let (_world, mut doer, mut watcher) = pair().await;
    execute(&mut doer, echo("q"), json!({})).await;
    execute(&mut doer, echo("p"), json!({})).await;

    let at_once = monitor(&mut watcher, json!({"projectId": "p", "source": "*"}), json!(["task", "summary"])).await;

    assert_eq!(at_once[0].1["tasks"].as_array().unwrap().len(), 1, "{at_once:?}");
    assert_eq!((at_once.len(), &at_once[1].1["project_id"]), (2, &json!("p")));
}

#[tokio::test]
async fn a_tasks_token_monitors_its_task_by_the_project_and_source_that_it_serves() {
    let (world, mut doer, _) = pair().await;
    let token = execute(&mut doer, echo("p"), json!({})).await;
    let another = execute(&mut doer, echo("p"), json!({"token": "chosen"})).await;
    let mut holder = world.stranger(1).unwrap();
    holder.ask("auth", json!({"auth": token})).await.ok();

    for (project, source) in [("q", "webhook_1"), ("p", "other"), ("p", "*")] {
        let key = json!({"projectId": project, "source": source, "types": ["task"]});
        let refused = holder.ask("rrext_monitor", key).await.refused();
        assert!(refused.starts_with("a task's token is for that task alone"), "{refused}");
    }
    let key = json!({"projectId": "p", "source": "webhook_1"});
    let at_once = monitor(&mut holder, key, json!(["task"])).await;
    assert_eq!(at_once[0].1["tasks"].as_array().unwrap().len(), 1, "{at_once:?}");
    doer.ask("terminate", json!({"token": another})).await.ok();
    assert!(received(&mut holder).await.is_empty(), "another task of the source is not its own");
    doer.ask("terminate", json!({"token": token})).await.ok();

    assert_eq!(actions(&received(&mut holder).await), ["end"]);
}
