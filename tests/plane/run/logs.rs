//! A run's log.

use crate::given::tasks::caller;
use crate::given::{chain, copy, echo, lines, logging, logs, messages, queued, ran, run, unreachable, while_it_runs};
use serde_json::{Value, json};
use tidemill_model::ids::{ProjectId, RunId};
use tidemill_testing::{TestPlane, seconds};

#[tokio::test]
async fn a_line_says_when_how_grave_from_where_and_what() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    lines(&world, 1);
    ana.deploy(logging("p"), "manual").await.ok();

    let run = ran(&world, &ana, "p").await;
    let logs = ana.get(&format!("/v1/runs/{}/logs", run["id"].as_str().unwrap())).await.ok();

    let at = "2026-03-02T10:00:30Z";
    let line = json!({"attempt": 1, "at": at, "level": "warn", "component": "log_1", "message": "line 1"});
    assert_eq!(logs["items"], json!([line]));
    assert_eq!((&logs["state"], &logs["complete"]), (&json!("succeeded"), &json!(true)));
}

#[tokio::test]
async fn a_long_log_is_read_piece_by_piece_in_order_and_each_line_once() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let written = lines(&world, 1_230);
    ana.deploy(logging("p"), "manual").await.ok();
    let run = ran(&world, &ana, "p").await;
    let id = run["id"].as_str().unwrap();

    let (mut read, mut from, mut pieces) = (Vec::new(), 0, 0);
    loop {
        let piece = logs(&ana, id, from).await;
        read.extend(messages(&piece));
        pieces += 1;
        from = piece["next"].as_u64().unwrap();
        if piece["complete"] == true {
            break;
        }
    }

    assert_eq!(read, written);
    assert!(pieces > 1, "it does not come in one answer");
    let after = logs(&ana, id, from).await;
    assert_eq!((&after["items"], &after["complete"]), (&json!([]), &json!(true)));
}

#[tokio::test]
async fn a_log_is_read_while_it_grows() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let written = lines(&world, 2_000);
    ana.deploy(logging("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    let early = while_it_runs(&world, &ana, &id, logs(&ana, &id, 0)).await;

    assert_eq!((&early["state"], &early["complete"]), (&json!("running"), &json!(false)));
    let mut read = messages(&early);
    assert!(!read.is_empty() && read.len() < written.len());
    let mut from = early["next"].as_u64().unwrap();
    while read.len() < written.len() {
        let piece = logs(&ana, &id, from).await;
        assert_ne!(piece["next"], from, "there is more: {piece}");
        from = piece["next"].as_u64().unwrap();
        read.extend(messages(&piece));
    }
    assert_eq!(read, written);
}

#[tokio::test]
async fn a_run_without_lines_has_a_complete_empty_log_once_it_has_ended() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    lines(&world, 1);
    ana.deploy(copy("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    let before = logs(&ana, &id, 0).await;
    world.settle().await;
    let after = logs(&ana, &id, before["next"].as_u64().unwrap()).await;

    assert_eq!((&before["items"], &before["complete"]), (&json!([]), &json!(false)));
    assert_eq!((&after["items"], &after["complete"]), (&json!([]), &json!(true)));
}

#[tokio::test]
async fn the_log_of_every_attempt_is_kept() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let request = ("http_request", json!({"url": "http://127.0.0.1:1/", "retries": 0}), "text");
    let mut pipeline = chain("p", &[("timer", json!({}), "text"), request, ("response", json!({"lanes": []}), "")]);
    let log = json!({"id": "log_1", "provider": "log", "config": {}, "input": [{"lane": "text", "from": "timer_1"}]});
    pipeline["components"].as_array_mut().unwrap().push(log);
    ana.deploy(pipeline, "manual").await.ok();

    let id = queued(&ana, "p").await;
    world.advance(seconds(10)).await;

    let logs = logs(&ana, &id, 0).await;
    assert_eq!(logs["state"], "failed");
    let from_log = logs["items"].as_array().unwrap().iter().filter(|line| line["component"] == "log_1");
    assert_eq!(from_log.count(), 3, "{logs}");
    assert_eq!((&logs["complete"], &logs["attempt"], &logs["maxAttempts"]), (&json!(true), &json!(3), &json!(3)));
}

#[tokio::test]
async fn a_line_carries_its_attempt_and_an_attempt_that_is_repeated_says_why_it_failed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(unreachable("p"), "manual").await.ok();

    let id = queued(&ana, "p").await;
    world.advance(seconds(10)).await;

    let logs = logs(&ana, &id, 0).await;
    let attempts: Vec<&Value> = logs["items"].as_array().unwrap().iter().map(|line| &line["attempt"]).collect();
    assert_eq!(attempts, [1, 2], "{logs}");
    for (line, attempt) in [(0, 1), (1, 2)] {
        let line = &logs["items"][line];
        assert_eq!((&line["level"], &line["component"]), (&json!("warn"), &json!("http_request_1")));
        assert!(messages(&logs)[attempt - 1].starts_with(&format!("attempt {attempt} of 3 failed: ")), "{logs}");
    }
    assert!(run(&ana, &id).await["error"]["message"].is_string(), "that of the last one is the run's");
}

#[tokio::test]
async fn a_run_that_had_nothing_to_do_says_so() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(echo("p"), "manual").await.ok();

    let run = ran(&world, &ana, "p").await;

    let logs = logs(&ana, run["id"].as_str().unwrap(), 0).await;
    assert!(messages(&logs)[0].contains("no input"), "{logs}");
}

/// Objects of a task are worked on side by side, and each writes its own chunk.
#[tokio::test]
async fn a_follower_waits_for_a_chunk_that_comes_after_the_next_one_but_not_for_ever() {
    let world = TestPlane::new().await;
    let (caller, ana) = caller(&world, "ana").await;
    let links = [("webhook", json!({}), "text"), ("log", json!({}), "")];
    let task = caller.open_with(json!({"pipeline": chain("p", &links), "ttlSeconds": 0})).await.unwrap();
    let (owner, deployment) = ("ana".to_owned().try_into().unwrap(), ProjectId::parse("p").unwrap().into());
    let run: RunId = task.run.clone().try_into().unwrap();
    let write = async |number: u32, message: &str| {
        let line = json!([{"at": world.now(), "level": "info", "component": "log_1", "message": message}]).to_string();
        let transaction = world.plane.store.transaction();
        let expires = world.now() + seconds(3_600);
        transaction.log_chunk(&owner, &deployment, &run, number, &line, expires).unwrap().commit().await.unwrap();
    };

    write(1, "second").await;
    let early = logs(&ana, &task.run, 0).await;
    assert_eq!((messages(&early).len(), &early["next"]), (0, &json!(0)), "the first is still to come");
    write(0, "first").await;
    let both = logs(&ana, &task.run, 0).await;
    assert_eq!(messages(&both), ["first", "second"]);

    write(3, "fourth").await;
    assert_eq!(messages(&logs(&ana, &task.run, 2).await).len(), 0);
    world.advance(seconds(10)).await;
    let late = logs(&ana, &task.run, 2).await;
    assert_eq!((messages(&late), &late["next"]), (vec!["fourth".to_owned()], &json!(4)), "its writer has died");
}
