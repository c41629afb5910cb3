//! Tasks as RocketRide's clients use them.

use crate::given::echo;
use crate::given::objects::{close, pipe, write};
use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_testing::{Dap, TestPlane, seconds};

async fn open(dap: &mut Dap, project: &str) -> String {
    let opened = dap.ask("execute", json!({"pipeline": echo(project), "args": []})).await.ok();
    opened["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_object_is_sent_and_its_result_comes_back() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = open(&mut dap, "p").await;

    let pipe = pipe(&mut dap, &token).await;
    for part in ["Hello ", "from "] {
        dap.frame(write(&token, pipe, part)).await;
        dap.reply().ok();
    }
    let result = close(&mut dap, &token, pipe).await;

    assert_eq!(result["text"], json!(["Hello \n\nfrom \n\n"]));
    assert_eq!(result["result_types"], json!({"text": "text"}));
    assert_eq!((&result["name"], &result["path"]), (&json!("greeting"), &json!("")));
    assert_eq!(result["objectId"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn a_failed_component_is_reported_at_the_end_of_its_object() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let failing = json!({"program": ".x | error(\"no\")"});
    let links = [("webhook", json!({}), "text"), ("json", failing, "text"), ("response", json!({}), "")];
    let opened = dap.ask("execute", json!({"pipeline": crate::given::chain("p", &links)})).await.ok();
    let token = opened["token"].as_str().unwrap();

    let pipe = pipe(&mut dap, token).await;
    dap.frame(write(token, pipe, "{}")).await;
    dap.reply().ok();
    let result = close(&mut dap, token, pipe).await;

    assert!(result["error"].as_str().unwrap().contains("component `json_1`"), "{result}");
    let status = dap.ask("rrext_get_task_status", json!({"token": token})).await.ok();
    assert_eq!((&status["failedCount"], &status["completedCount"]), (&json!(1), &json!(0)));
    assert!(status["errors"][0].as_str().unwrap().contains("json_1"));
}

#[tokio::test]
async fn a_tool_that_nothing_offers_is_refused_by_name() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = open(&mut dap, "p").await;
    let tool = |more: Value| {
        let mut arguments = json!({"subcommand": "tool", "token": token, "nodeId": "", "input": {}});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };

    for (more, expected) in [
        (json!({}), "tool is required"),
        (
            json!({"tool": "search"}),
            "tool `search` is offered by no component: the providers of this plane take values",
        ),
        (json!({"tool": "search", "nodeId": "response_1"}), "tool `search` is not offered by component `response_1`"),
        (json!({"tool": "search", "nodeId": "missing"}), "component `missing` is not in the pipeline"),
        (json!({"tool": "search", "token": "tk_none"}), "Your pipeline is not running"),
        (json!({"tool": "search", "pipe_id": 7}), "Tool pipe with id 7 not found"),
    ] {
        let refused = dap.ask("rrext_process", tool(more)).await.refused();
        assert!(refused.starts_with(expected), "{refused}");
    }
}

#[tokio::test]
async fn writes_that_are_sent_together_arrive_in_their_order() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = open(&mut dap, "p").await;
    let pipe = pipe(&mut dap, &token).await;

    let mut works: Vec<_> =
        (0..20).map(|part| dap.session().receive(write(&token, pipe, &format!("{part} ")))).collect();
    works.push(dap.send("rrext_process", json!({"subcommand": "close", "pipe_id": pipe, "token": token})));
    works.reverse();
    futures::future::join_all(works).await;

    let replies: Vec<_> = (0..21).map(|_| dap.reply()).collect();
    let result = replies.into_iter().map(|reply| reply.ok()).find(|body| body.is_object()).unwrap();
    let expected: String = (0..20).map(|part| format!("{part} \n\n")).collect();
    assert_eq!(result["text"], json!([expected]));
}

#[tokio::test]
async fn terminating_is_reported_as_clients_expect_it() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = open(&mut dap, "p").await;
    let in_flight = pipe(&mut dap, &token).await;

    dap.ask("terminate", json!({"token": token})).await.ok();

    let again = dap.ask("terminate", json!({"token": token})).await;
    assert_eq!(again.0["code"], "TASK_STOPPED");
    assert!(again.refused().starts_with("Your pipeline is not running"));
    let arguments = json!({"subcommand": "open", "token": token, "object": {}, "mimeType": "text/plain"});
    let refused = dap.ask("rrext_process", arguments.clone()).await.refused();
    assert_eq!(refused, "Task is terminating, cannot process data requests");
    let status = dap.ask("rrext_get_task_status", json!({"token": token})).await.ok();
    assert_eq!((&status["state"], &status["completed"]), (&json!(4), &json!(false)));
    dap.frame(write(&token, in_flight, "late")).await;
    dap.reply().ok();
    assert_eq!(close(&mut dap, &token, in_flight).await["text"], json!(["late\n\n"]));
    let status = dap.ask("rrext_get_task_status", json!({"token": token})).await.ok();
    assert_eq!(
        (&status["state"], &status["completed"], &status["status"]),
        (&json!(6), &json!(true), &json!("Stopped"))
    );
    assert_eq!(dap.ask("rrext_process", arguments).await.refused(), "Task has already completed");
    assert_eq!(dap.ask("terminate", json!({"token": ""})).await.refused(), "Task token is required");
}

#[tokio::test]
async fn a_source_is_found_by_its_project_and_its_task_restarted() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let of_source = json!({"projectId": "p", "source": "webhook_1"});
    assert!(dap.ask("rrext_get_token", of_source.clone()).await.refused().starts_with("Your pipeline is not running"));
    let token = open(&mut dap, "p").await;

    assert_eq!(dap.ask("rrext_get_token", of_source.clone()).await.ok()["token"], json!(token));
    assert_eq!(dap.ask("rrext_get_pipeline", json!({"token": token})).await.ok()["pipeline"], echo("p"));
    for given in [Value::Null, json!(""), json!("*")] {
        let mut arguments = of_source.clone();
        arguments["token"] = given;
        arguments["pipeline"] = echo("p");
        assert_eq!(dap.ask("restart", arguments).await.ok()["token"], json!(token));
    }
    let tasks = dap.ask("rrext_get_tasks", json!({})).await.ok();
    assert_eq!((&tasks["tasks"][0]["token"], &tasks["tasks"][0]["status"]), (&json!(token), &json!("Running")));
    let again = dap.ask("execute", json!({"pipeline": echo("p")})).await.refused();
    assert!(again.starts_with("Pipeline is already running."), "{again}");
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = open(&mut dap, "p").await;
    for (arguments, expected) in [
        (json!({"subcommand": "open", "mimeType": "text/plain"}), "No object info specified"),
        (json!({"subcommand": "open", "object": {}}), "No mimeType specified"),
        (json!({"subcommand": "close", "pipe_id": 7}), "Close pipe with id 7 not found"),
        (json!({"subcommand": "fly"}), "Invalid subcommand fly"),
        (
            json!({"subcommand": "open", "object": {}, "mimeType": "x/y", "provider": "chat"}),
            "You are looking for a \"chat\", but this pipeline isn't it: the task's source is a `webhook`, not a `chat`",
        ),
    ] {
        let mut arguments = arguments;
        arguments["token"] = token.clone().into();
        assert_eq!(dap.ask("rrext_process", arguments).await.refused(), expected);
    }
    dap.frame(write(&token, 7, "x")).await;
    assert_eq!(dap.reply().refused(), "Write pipe with id 7 not found");
}

#[tokio::test]
async fn every_command_asks_for_its_scope() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let token = open(&mut world.socket(&ana).await, "p").await;
    let mut monitor = world.socket(&world.user_with("ana", &[Scope::Monitor]).await).await;
    let mut data = world.socket(&world.user_with("ana", &[Scope::Data]).await).await;

    assert_eq!(monitor.ask("terminate", json!({"token": token})).await.refused(), "Permission 'task.control' denied");
    assert_eq!(data.ask("rrext_get_tasks", json!({})).await.refused(), "Permission 'task.monitor' denied");
    let opened = json!({"subcommand": "open", "token": token, "object": {}, "mimeType": "text/plain"});
    assert_eq!(monitor.ask("rrext_process", opened.clone()).await.refused(), "Permission 'task.data' denied");
    data.ask("rrext_process", opened).await.ok();
    let mut bob = world.socket(&world.user("bob").await).await;
    assert!(bob.ask("rrext_get_task_status", json!({"token": token})).await.refused().contains("not running"));
}

#[tokio::test]
async fn monitors_send_the_states_of_tasks_and_their_events() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (mut doer, mut watcher) = (world.socket(&ana).await, world.socket(&ana).await);
    let subscription = json!({"projectId": "p", "source": "webhook_1", "types": ["SUMMARY", "task", "unknown"]});

    watcher.send("rrext_monitor", subscription).await;
    let events = watcher.events();
    assert_eq!(events[0], ("apaevt_task".into(), json!({"action": "running", "tasks": []})));
    assert_eq!((&*events[1].0, &events[1].1["state"]), ("apaevt_status_update", &json!(0)));
    assert_eq!(events[1].1["status"], "Not running");

    let token = open(&mut doer, "p").await;
    watcher.notify().await;
    let events = watcher.events();
    assert_eq!((&*events[0].0, &events[0].1["action"]), ("apaevt_task", &json!("begin")));
    assert_eq!((&events[1].1["state"], &events[1].1["__id"]), (&json!(3), &events[0].1["__id"]));
    watcher.notify().await;
    assert!(watcher.events().is_empty(), "nothing has changed");

    let pipe = pipe(&mut doer, &token).await;
    close(&mut doer, &token, pipe).await;
    watcher.notify().await;
    let events = watcher.events();
    assert_eq!((events.len(), &events[0].1["completedCount"]), (1, &json!(1)));
    doer.ask("terminate", json!({"token": token})).await.ok();
    watcher.notify().await;
    let events = watcher.events();
    assert_eq!((&events[0].1["action"], &events[1].1["state"]), (&json!("end"), &json!(6)));
    watcher.send("rrext_monitor", json!({"projectId": "p", "source": "webhook_1", "types": []})).await;
    assert_eq!(watcher.events().len(), 1, "only the answer");
    open(&mut doer, "p").await;
    watcher.notify().await;
    assert!(watcher.events().is_empty());
}

#[tokio::test]
async fn a_tasks_log_is_sent_to_its_subscribers_and_to_no_other_owner() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (mut doer, mut watcher) = (world.socket(&ana).await, world.socket(&ana).await);
    let mut bob = world.socket(&world.user("bob").await).await;
    for dap in [&mut watcher, &mut bob] {
        dap.send("rrext_monitor", json!({"token": "*", "types": 8})).await;
        dap.events();
    }
    let log = crate::given::chain("p", &[("webhook", json!({}), "text"), ("log", json!({}), "")]);
    let token = doer.ask("execute", json!({"pipeline": log})).await.ok()["token"].as_str().unwrap().to_owned();
    let pipe = pipe(&mut doer, &token).await;
    doer.frame(write(&token, pipe, "said aloud")).await;
    doer.reply().ok();
    close(&mut doer, &token, pipe).await;
    // The object is counted before its log is kept.
    world.sleep(seconds(1));

    watcher.notify().await;
    bob.notify().await;

    let said: Vec<_> = watcher.events().into_iter().map(|(name, body)| (name, body["output"].clone())).collect();
    assert_eq!(said, [("output".to_owned(), json!("said aloud\n"))]);
    assert!(bob.events().is_empty());
}

#[tokio::test]
async fn the_dashboard_shows_ones_own_tasks() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let mut bob = world.socket(&world.user("bob").await).await;
    open(&mut bob, "p").await;
    let token = open(&mut dap, "p").await;
    world.sleep(seconds(1));
    open(&mut dap, "q").await;
    dap.ask("terminate", json!({"token": token})).await.ok();
    world.sleep(seconds(7));

    let shown = dap.ask("rrext_dashboard", json!({})).await.ok();

    assert_eq!(shown["overview"]["activeTasks"], 1);
    let tasks: Vec<_> = shown["tasks"].as_array().unwrap().iter().map(|t| (&t["projectId"], &t["state"])).collect();
    assert_eq!(tasks, [(&json!("q"), &json!(3)), (&json!("p"), &json!(6))]);
    assert_eq!((&shown["tasks"][0]["idleTime"], &shown["tasks"][0]["elapsedTime"]), (&json!(7), &json!(7.0)));
}

#[tokio::test]
async fn a_tasks_token_logs_in_for_that_task_alone() {
    let world = TestPlane::new().await;
    let mut ana = world.socket(&world.user("ana").await).await;
    let opened = ana.ask("execute", json!({"pipeline": echo("p")})).await.ok();
    let (token, public) = (opened["token"].as_str().unwrap(), opened["publicToken"].as_str().unwrap());
    let other = open(&mut ana, "q").await;
    let (mut holder, mut sender) = (world.stranger(1).unwrap(), world.stranger(1).unwrap());
    holder.ask("auth", json!({"auth": token})).await.ok();
    sender.ask("auth", json!({"auth": public})).await.ok();

    for dap in [&mut holder, &mut sender] {
        dap.ask("rrext_ping", json!({})).await.ok();
        let object = json!({"subcommand": "open", "object": {}, "mimeType": "text/plain"});
        let pipe = dap.ask("rrext_process", object.clone()).await.ok()["pipe_id"].as_u64().unwrap();
        assert!(
            dap.ask("rrext_process", json!({"subcommand": "close", "pipe_id": pipe})).await.ok()["objectId"]
                .is_string()
        );
        let mut elsewhere = object;
        elsewhere["token"] = other.clone().into();
        assert!(dap.ask("rrext_process", elsewhere).await.refused().contains("for that task alone"));
        for (command, arguments) in [
            ("execute", json!({"pipeline": echo("r")})),
            ("rrext_deploy_list", json!({})),
            ("rrext_get_tasks", json!({})),
            ("rrext_dashboard", json!({})),
            ("rrext_get_token", json!({"projectId": "q", "source": "webhook_1"})),
        ] {
            let refused = dap.ask(command, arguments).await.refused();
            assert!(refused.starts_with("Permission 'task."), "{command}: {refused}");
        }
        assert!(dap.ask("rrext_monitor", json!({"token": "*", "types": 4})).await.refused().contains("task"));
    }
    assert!(sender.ask("rrext_get_task_status", json!({})).await.refused().contains("may only send"));
    assert_eq!(holder.ask("rrext_get_task_status", json!({})).await.ok()["completedCount"], 2);
    holder.ask("terminate", json!({})).await.ok();
    assert_eq!(
        world.stranger(1).unwrap().ask("auth", json!({"auth": "tk_unknown"})).await.refused(),
        "Invalid API key"
    );
}

#[tokio::test]
async fn restarting_what_takes_no_more_objects_has_the_codes_of_sending_to_it() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = open(&mut dap, "p").await;
    let in_flight = pipe(&mut dap, &token).await;
    dap.ask("terminate", json!({"token": token})).await.ok();

    let restart = json!({"token": token, "pipeline": echo("p")});
    let ending = dap.ask("restart", restart.clone()).await;
    close(&mut dap, &token, in_flight).await;
    let ended = dap.ask("restart", restart).await;

    assert_eq!((&ending.0["code"], &ended.0["code"]), (&json!("TASK_STOPPED"), &json!("TASK_COMPLETED")));
    assert!(ended.refused().starts_with("Task has already completed"));
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let none = "Your pipeline is not running. no task of source `s` of project `r1` is open; hint: start it with `use`";
    for command in ["rrext_get_token", "restart"] {
        assert_eq!(dap.ask(command, json!({"projectId": "r1", "source": "s"})).await.refused(), none);
    }
    for ttl in [json!(-1), json!(4_294_967_296_u64), json!("x")] {
        let refused = dap.ask("execute", json!({"pipeline": echo("p"), "ttl": ttl})).await.refused();
        assert_eq!(refused, "ttl must be a whole number of seconds, 0 to 4294967295");
    }
    for threads in [json!(0), json!(65), json!(-1)] {
        let refused = dap.ask("execute", json!({"pipeline": echo("p"), "threads": threads})).await.refused();
        assert!(refused.contains("1 to 64"), "{refused}");
    }
}
