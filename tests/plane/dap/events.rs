//! What monitors receive: from the records, so that every connection receives the same.

use crate::given::environments::{of_staging, versions};
use crate::given::objects::{close, execute, monitor, pipe, received, send, write};
use crate::given::{chain, echo};
use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_testing::{Dap, TestPlane, minutes, pipeline, seconds};

/// A world, and two connections of ana: one that does things, one that watches.
async fn pair() -> (TestPlane, Dap, Dap) {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (doer, watcher) = (world.socket(&ana).await, world.socket(&ana).await);
    (world, doer, watcher)
}

/// A pipeline that reports each text as `progress`.
fn reporting(project: &str) -> Value {
    chain(project, &[("webhook", json!({}), "text"), ("log", json!({"event": "progress"}), "")])
}

fn all() -> Value {
    json!({"token": "*"})
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn a_traced_object_is_reported_with_its_way_through_the_pipeline() {
    let (_world, mut doer, mut watcher) = pair().await;
    let token = execute(&mut doer, echo("p"), json!({"pipelineTraceLevel": "summary"})).await;
    monitor(&mut watcher, all(), json!(["flow"])).await;

    let pipe = pipe(&mut doer, &token).await;
    doer.frame(write(&token, pipe, "Hi")).await;
    doer.reply().ok();
    close(&mut doer, &token, pipe).await;
    let flow = received(&mut watcher).await;

    assert!(flow.iter().all(|(name, body)| name == "apaevt_flow" && body["id"] == pipe), "{flow:?}");
    let ops: Vec<_> = flow.iter().map(|(_, body)| (&body["op"], &body["component"], &body["pipes"])).collect();
    let (object, inside) = (json!(["greeting"]), json!(["greeting", "response_1"]));
    assert_eq!(ops[0], (&json!("begin"), &json!("greeting"), &object));
    assert_eq!(ops[1], (&json!("enter"), &json!("response_1"), &inside));
    assert_eq!(ops[2], (&json!("leave"), &json!("response_1"), &object));
    assert_eq!((ops[3], ops.len()), ((&json!("end"), &json!("greeting"), &object), 4));
    assert_eq!(flow[1].1["trace"], json!({"lane": "text", "data": {"text": "Hi", "bytes": 2}}));
    assert_eq!(flow[3].1["trace"]["text"], json!(["Hi\n\n"]));
    for (_, body) in &flow {
        assert_eq!((&body["project_id"], &body["source"]), (&json!("p"), &json!("webhook_1")));
        assert!(body["__id"].as_str().unwrap().ends_with(".webhook_1"));
        assert_eq!(body["eventTime"], 1_772_445_630.0);
    }
    assert!(received(&mut watcher).await.is_empty(), "each object is shown once");
}

#[tokio::test]
async fn without_a_trace_level_nothing_is_sent_or_written() {
    let (world, mut doer, mut watcher) = pair().await;
    let token = execute(&mut doer, echo("p"), json!({})).await;
    monitor(&mut watcher, all(), json!(["flow", "sse"])).await;
    world.faults.die(None);

    send(&mut doer, &token, "Hi").await;

    let written = world.faults.calls().into_iter().filter(|call| call.write_units > 0.0).count();
    assert_eq!(written, 2, "it is accepted, and it has ended");
    assert!(received(&mut watcher).await.is_empty());
}

#[tokio::test]
async fn objects_that_end_out_of_order_are_reported_all_the_same() {
    let (_world, mut doer, mut watcher) = pair().await;
    let token = execute(&mut doer, echo("p"), json!({"pipelineTraceLevel": "metadata"})).await;
    let before = pipe(&mut doer, &token).await;
    monitor(&mut watcher, all(), json!(["flow"])).await;
    let first = pipe(&mut doer, &token).await;
    let second = pipe(&mut doer, &token).await;

    let mut begun = Vec::new();
    for pipe in [second, before, first] {
        close(&mut doer, &token, pipe).await;
        let flow = received(&mut watcher).await;
        assert!(flow.iter().all(|(_, body)| body["trace"].get("data").is_none()));
        begun.extend(flow.iter().filter(|(_, body)| body["op"] == "begin").map(|(_, body)| body["id"].clone()));
    }

    assert_eq!(begun, [json!(second), json!(before), json!(first)]);
}

#[tokio::test]
async fn earlier_events_are_not_sent_to_a_new_subscription() {
    let (_world, mut doer, mut watcher) = pair().await;
    let token = execute(&mut doer, reporting("p"), json!({"pipelineTraceLevel": "full"})).await;
    send(&mut doer, &token, "before").await;

    monitor(&mut watcher, all(), json!(["flow", "sse", "output"])).await;
    assert!(received(&mut watcher).await.is_empty());
    send(&mut doer, &token, "after").await;

    let events = received(&mut watcher).await;
    assert_eq!(events.iter().filter(|(_, body)| body["op"] == "begin").count(), 1, "{events:?}");
    assert!(!format!("{events:?}").contains("before"), "{events:?}");
}

#[tokio::test]
async fn another_process_sends_the_same() {
    let (world, mut doer, _) = pair().await;
    let token = execute(&mut doer, echo("p"), json!({"pipelineTraceLevel": "full"})).await;
    let pipe = pipe(&mut doer, &token).await;
    let key = world.user("ana").await;
    let mut watcher = world.socket(&key).await;
    monitor(&mut watcher, all(), json!(["flow"])).await;
    close(&mut doer, &token, pipe).await;
    let here = received(&mut watcher).await;

    let other = world.restarted().await;
    let mut doer = other.socket(&key).await;
    let mut watcher = other.socket(&key).await;
    monitor(&mut watcher, all(), json!(["flow"])).await;
    assert!(received(&mut watcher).await.is_empty());
    let again = crate::given::objects::pipe(&mut doer, &token).await;
    close(&mut doer, &token, again).await;

    let ops = |events: &[(String, Value)]| events.iter().map(|(_, body)| body["op"].clone()).collect::<Vec<_>>();
    assert_eq!(ops(&received(&mut watcher).await), ops(&here));
}

#[tokio::test]
async fn a_component_that_fails_leaves_with_its_error() {
    let (_world, mut doer, mut watcher) = pair().await;
    let failing = json!({"program": ".x | error(\"no\")"});
    let broken = chain("p", &[("webhook", json!({}), "text"), ("json", failing, "text"), ("response", json!({}), "")]);
    let token = execute(&mut doer, broken, json!({"pipelineTraceLevel": "metadata"})).await;
    monitor(&mut watcher, all(), json!(["flow"])).await;

    send(&mut doer, &token, "{}").await;

    let flow = received(&mut watcher).await;
    let left = flow.iter().find(|(_, body)| body["op"] == "leave").unwrap();
    assert!(left.1["trace"]["error"].is_string(), "{flow:?}");
    assert!(flow.last().unwrap().1["trace"]["error"].as_str().unwrap().contains("json_1"), "{flow:?}");
}

#[tokio::test]
async fn steps_of_a_source_with_objects_of_its_own_are_reported() {
    let (world, mut doer, mut watcher) = pair().await;
    monitor(&mut watcher, all(), json!(["flow", "output", "task"])).await;
    execute(&mut doer, pipeline("p"), json!({"pipelineTraceLevel": "metadata"})).await;

    world.settle().await;
    let events = received(&mut watcher).await;

    let ops: Vec<_> = events.iter().filter(|(name, _)| name == "apaevt_flow").map(|(_, body)| &body["op"]).collect();
    assert_eq!((ops.first(), ops.last()), (Some(&&json!("begin")), Some(&&json!("end"))), "{events:?}");
    assert!(received(&mut watcher).await.is_empty());
}

#[tokio::test]
async fn a_message_reaches_the_pipe_that_listens_before_its_result() {
    let (_world, mut doer, mut watcher) = pair().await;
    let token = execute(&mut doer, reporting("p"), json!({})).await;
    monitor(&mut watcher, all(), json!(["sse"])).await;
    let (heard, silent) = (pipe(&mut doer, &token).await, pipe(&mut doer, &token).await);
    monitor(&mut doer, json!({"token": token, "pipeId": heard}), json!(["SSE"])).await;

    for pipe in [silent, heard] {
        doer.frame(write(&token, pipe, "half way")).await;
        doer.send("rrext_process", json!({"subcommand": "close", "pipe_id": pipe, "token": token})).await;
    }
    let at_once = doer.events();

    assert_eq!(names(&at_once), ["", "", "", "apaevt_sse", ""], "written, closed; written, shown, closed");
    let (_, message) = &at_once[3];
    assert_eq!((&message["pipe_id"], &message["type"]), (&json!(heard), &json!("progress")));
    assert_eq!(message["data"], json!({"text": "half way"}));
    let events = received(&mut watcher).await;
    let pipes: Vec<_> = events.iter().map(|(_, body)| body["pipe_id"].as_u64().unwrap()).collect();
    assert_eq!(pipes, [heard, silent], "the other connection receives both, in the order of their arrival");
}

#[tokio::test]
async fn a_message_that_was_sent_at_once_is_not_sent_again() {
    let (_world, mut doer, _) = pair().await;
    let token = execute(&mut doer, reporting("p"), json!({})).await;
    monitor(&mut doer, all(), json!(["sse"])).await;
    let pipe = pipe(&mut doer, &token).await;
    monitor(&mut doer, json!({"token": token, "pipeId": pipe}), json!(["SSE"])).await;

    doer.frame(write(&token, pipe, "x")).await;
    doer.send("rrext_process", json!({"subcommand": "close", "pipe_id": pipe, "token": token})).await;

    assert_eq!(doer.events().iter().filter(|(name, _)| name == "apaevt_sse").count(), 1);
    assert!(received(&mut doer).await.is_empty());
}

#[tokio::test]
async fn listening_to_a_pipe_leaves_the_monitors_of_its_task_alone() {
    let (_world, mut doer, _) = pair().await;
    let token = execute(&mut doer, echo("p"), json!({})).await;
    monitor(&mut doer, json!({"token": token}), json!(["summary"])).await;
    let pipe = pipe(&mut doer, &token).await;
    let of_pipe = json!({"token": token, "pipeId": pipe});

    monitor(&mut doer, of_pipe.clone(), json!(["SSE"])).await;
    close(&mut doer, &token, pipe).await;
    monitor(&mut doer, of_pipe, json!([])).await;

    assert_eq!(names(&received(&mut doer).await), ["apaevt_status_update"]);
}

#[tokio::test]
async fn messages_ask_for_the_right_to_send_and_all_else_for_the_right_to_monitor() {
    let (world, mut doer, _) = pair().await;
    let opened = doer.ask("execute", json!({"pipeline": reporting("p"), "pipelineTraceLevel": "full"})).await.ok();
    let (token, public) = (opened["token"].as_str().unwrap(), opened["publicToken"].as_str().unwrap());
    let types = json!(["sse", "flow", "summary", "task", "output", "detail", "dashboard", "deploy"]);
    let mut sender = world.socket(&world.user_with("ana", &[Scope::Data]).await).await;
    assert!(monitor(&mut sender, all(), types.clone()).await.is_empty());
    let mut monitors = world.socket(&world.user_with("ana", &[Scope::Monitor]).await).await;
    monitor(&mut monitors, all(), types.clone()).await;
    let mut outsider = world.stranger(1).unwrap();
    outsider.ask("auth", json!({"auth": public})).await.ok();
    assert!(monitor(&mut outsider, json!({"token": public}), types).await.is_empty());
    received(&mut monitors).await;

    send(&mut doer, token, "x").await;

    assert_eq!(names(&received(&mut sender).await), ["apaevt_sse"]);
    assert_eq!(names(&received(&mut outsider).await), ["apaevt_sse"]);
    let events = received(&mut monitors).await;
    assert!(!names(&events).contains(&"apaevt_sse") && names(&events).contains(&"apaevt_flow"), "{events:?}");
}

#[tokio::test]
async fn an_event_that_several_monitors_match_is_sent_once() {
    let (_world, mut doer, mut watcher) = pair().await;
    let token = execute(&mut doer, reporting("p"), json!({"pipelineTraceLevel": "metadata"})).await;
    let types = json!(["summary", "task", "flow", "sse", "output"]);
    for key in [all(), json!({"token": token}), json!({"projectId": "p", "source": "webhook_1"})] {
        monitor(&mut watcher, key, types.clone()).await;
    }

    send(&mut doer, &token, "x").await;
    doer.ask("terminate", json!({"token": token})).await.ok();
    let mut events = received(&mut watcher).await;
    events.extend(received(&mut watcher).await);

    let count = |wanted: &str| names(&events).iter().filter(|name| **name == wanted).count();
    assert_eq!((count("apaevt_task"), count("apaevt_status_update"), count("output")), (1, 1, 1), "{events:?}");
    assert_eq!((count("apaevt_sse"), count("apaevt_flow")), (1, 4), "{events:?}");
}

#[tokio::test]
async fn details_name_what_changed() {
    let (_world, mut doer, mut watcher) = pair().await;
    let failing = json!({"program": ".x | error(\"no\")"});
    let broken = chain("p", &[("webhook", json!({}), "text"), ("json", failing, "text"), ("response", json!({}), "")]);
    monitor(&mut watcher, all(), json!(["detail"])).await;
    let token = execute(&mut doer, broken, json!({})).await;
    assert_eq!(names(&received(&mut watcher).await), ["apaevt_status_state"]);

    let pipe = pipe(&mut doer, &token).await;
    let events = received(&mut watcher).await;
    assert_eq!(names(&events), ["apaevt_status_object", "apaevt_status_counts"]);
    assert_eq!((&events[0].1["object"], &events[0].1["size"]), (&json!("greeting"), &json!(2)));
    let status = doer.ask("rrext_get_task_status", json!({"token": token})).await.ok();
    assert_eq!((&status["currentObject"], &status["currentSize"]), (&json!("greeting"), &json!(2)));
    doer.frame(write(&token, pipe, "{}")).await;
    doer.reply().ok();
    close(&mut doer, &token, pipe).await;

    let events = received(&mut watcher).await;
    assert_eq!(names(&events), ["apaevt_status_counts", "apaevt_status_error"]);
    assert_eq!((&events[0].1["failedCount"], &events[0].1["totalCount"]), (&json!(1), &json!(1)));
    assert!(events[1].1["message"].as_str().unwrap().contains("json_1"), "{events:?}");
}

#[tokio::test]
async fn the_dashboard_receives_connections_monitors_and_tasks() {
    let (world, mut doer, mut watcher) = pair().await;
    let bob = world.user("bob").await;
    monitor(&mut watcher, all(), json!(["dashboard"])).await;
    assert!(received(&mut watcher).await.is_empty());

    let ana = world.user("ana").await;
    let mut third = world.socket(&ana).await;
    let mut stranger = world.socket(&bob).await;
    monitor(&mut third, json!({"projectId": "p", "source": "s"}), json!(["summary"])).await;
    execute(&mut stranger, echo("q"), json!({})).await;
    let token = execute(&mut doer, echo("p"), json!({})).await;
    let actions = |events: Vec<(String, Value)>| -> Vec<String> {
        assert!(events.iter().all(|(name, body)| name == "apaevt_dashboard" && body["timestamp"].is_f64()));
        events.iter().map(|(_, body)| body["action"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(actions(received(&mut watcher).await), ["task_started", "connection_added", "monitor_changed"]);
    let shown = doer.ask("rrext_dashboard", json!({})).await.ok();
    assert_eq!(shown["connections"][2]["monitors"], json!([{"key": "p.s", "flags": ["summary"]}]));

    drop(third);
    doer.ask("terminate", json!({"token": token})).await.ok();
    assert_eq!(actions(received(&mut watcher).await), ["task_stopped", "connection_removed"]);
    world.sleep(minutes(6));
    assert_eq!(actions(received(&mut watcher).await), ["task_removed"]);
    assert!(received(&mut watcher).await.is_empty());
}

#[tokio::test]
async fn changes_of_environments_are_sent() {
    let (world, mut doer, mut watcher) = pair().await;
    let mut bob = world.socket(&world.user("bob").await).await;
    versions(&mut doer, 1).await;
    for dap in [&mut watcher, &mut bob] {
        monitor(dap, all(), json!(["deploy"])).await;
    }
    assert!(received(&mut watcher).await.is_empty(), "what came before is not shown");

    versions(&mut doer, 1).await;
    for (subcommand, more) in [
        ("deploy", json!({"version": 1})),
        ("deploy", json!({"version": 2})),
        ("deploy", json!({"version": 1})),
        ("disable", json!({})),
    ] {
        world.sleep(seconds(1));
        of_staging(&mut doer, subcommand, more).await.ok();
    }

    let events = received(&mut watcher).await;
    let actions: Vec<_> = events.iter().map(|(_, body)| (&body["action"], &body["teamId"])).collect();
    let of = |action| (json!(action), json!("staging"));
    let expected = [(json!("publish"), json!("")), of("deploy"), of("deploy"), of("rollback"), of("disable")];
    assert_eq!(actions, expected.iter().map(|(action, team)| (action, team)).collect::<Vec<_>>());
    assert!(events.iter().all(|(name, body)| name == "apaevt_deploy" && body["orgId"] == "ana"));
    assert!(events.iter().all(|(_, body)| body["projectId"] == "p"));
    assert!(received(&mut watcher).await.is_empty());
    assert!(received(&mut bob).await.is_empty());
}

#[tokio::test]
async fn the_task_of_a_team_is_monitored_by_the_team() {
    let (_world, mut doer, mut watcher) = pair().await;
    let add = json!({"subcommand": "add", "kind": "pipe", "pipeline": named(echo("p"))});
    doer.ask("rrext_deploy", add).await.ok();
    of_staging(&mut doer, "deploy", json!({"version": 1})).await.ok();
    for key in [
        json!({"projectId": "p", "source": "webhook_1", "teamId": "staging"}),
        json!({"projectId": "p", "source": "webhook_1"}),
        json!({"projectId": "p", "source": "*", "teamId": "production"}),
    ] {
        monitor(&mut watcher, key, json!(["task"])).await;
    }

    of_staging(&mut doer, "run", json!({"sourceId": "webhook_1"})).await.ok();

    let events = received(&mut watcher).await;
    assert_eq!((names(&events), &events[0].1["action"]), (vec!["apaevt_task"], &json!("begin")));
}

fn named(mut pipeline: Value) -> Value {
    pipeline["name"] = "named".into();
    pipeline
}

#[tokio::test]
async fn a_connection_that_comes_and_goes_between_two_looks_is_sent_all_the_same() {
    let (world, mut doer, mut watcher) = pair().await;
    let ana = world.user("ana").await;
    for key in [json!({"projectId": "p", "source": "webhook_1"}), all()] {
        monitor(&mut watcher, key, json!(["task", "dashboard", "flow"])).await;
    }

    let token = execute(&mut doer, echo("p"), json!({"pipelineTraceLevel": "metadata"})).await;
    send(&mut doer, &token, "x").await;
    doer.ask("terminate", json!({"token": token})).await.ok();
    drop(world.socket(&ana).await);
    let events = received(&mut watcher).await;

    let actions: Vec<_> = events.iter().filter_map(|(_, body)| body["action"].as_str()).collect();
    let expected = ["begin", "end", "task_started", "task_stopped", "connection_added", "connection_removed"];
    assert_eq!(actions, expected);
    assert_eq!(events.iter().filter(|(name, _)| name == "apaevt_flow").count(), 4);
    assert!(received(&mut watcher).await.is_empty());
}

#[tokio::test]
async fn a_source_whose_task_has_ended_does_not_run() {
    let (_world, mut doer, mut watcher) = pair().await;
    let token = execute(&mut doer, echo("p"), json!({})).await;
    doer.ask("terminate", json!({"token": token})).await.ok();

    let at_once =
        monitor(&mut watcher, json!({"projectId": "p", "source": "webhook_1"}), json!(["summary", "task"])).await;

    assert_eq!(at_once[0].1, json!({"action": "running", "tasks": []}));
    assert_eq!((at_once.len(), &at_once[1].1["state"]), (2, &json!(0)));
    assert!(received(&mut watcher).await.is_empty());
}
