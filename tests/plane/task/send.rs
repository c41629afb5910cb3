//! What becomes of the objects that are sent through a task.

use crate::given::tasks::{caller, echoed};
use crate::given::{broken, chain, copied, echo};
use serde_json::{Value, json};
use tidemill_model::ids::OwnerId;
use tidemill_model::task::State;
use tidemill_operations::task::{self, send::Object};
use tidemill_store::Arriving;
use tidemill_testing::TestPlane;

#[tokio::test]
async fn each_write_of_a_text_is_part_of_the_result() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();

    let pipe = ana.pipe(&task.token).await.unwrap();
    for part in ["Hello ", "from ", "here"] {
        pipe.write(part.into()).await;
    }
    let sent = pipe.close().await.unwrap();

    assert_eq!(sent.result["text"], json!(["Hello \n\nfrom \n\nhere\n\n"]));
    assert_eq!((sent.object_id.len(), &sent.name, sent.error), (36, &sent.object_id, None));
}

#[tokio::test]
async fn objects_are_independent_of_each_other() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let task = ana.open_with(json!({"pipeline": echo("p"), "threads": 8})).await.unwrap();

    let texts: Vec<String> = (0..50).map(|number| format!("object {number}")).collect();
    let sent = futures::future::join_all(texts.iter().map(|text| ana.send(&task.token, text))).await;

    for (text, sent) in texts.iter().zip(sent) {
        assert_eq!(sent.unwrap().result, echoed(text));
    }
    let counts = ana.status(&task.token).await.unwrap().counts;
    assert_eq!((counts.total_count, counts.completed_count, counts.failed_count), (50, 50, 0));
}

#[tokio::test]
async fn each_object_stays_in_the_file_that_they_all_go_to() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let sink = ("file_sink", json!({"path": "out.txt"}), "");
    let task = ana.open(chain("p", &[("webhook", json!({}), "text"), sink])).await.unwrap();

    for number in 0..5 {
        let sent = ana.send(&task.token, &format!("object {number}")).await.unwrap();
        assert_eq!(sent.error, None);
    }

    let lines: Vec<String> = copied(&world).into_iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, (0..5).map(|number| format!("object {number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_task_and_its_run_count_what_the_components_did_over_all_objects() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let filter = json!({"where": ". == \"keep\""});
    let links = [("webhook", json!({}), "text"), ("filter", filter, "text"), ("response", json!({"lanes": []}), "")];
    let task = ana.open(chain("p", &links)).await.unwrap();

    futures::future::join_all(["keep", "drop", "keep"].map(|text| ana.send(&task.token, text))).await;
    let status = user.get(&format!("/v1/tasks/{}", task.token)).await.ok();
    let listed = user.get("/v1/tasks").await.ok();
    ana.end(&task.token).await.unwrap();
    let run = user.get(&format!("/v1/runs/{}", task.run)).await.ok();

    let short = |counted: &Value| {
        let components = counted["components"].as_array().unwrap_or_else(|| panic!("{counted}"));
        let word =
            |one: &Value| format!("{} {} {} {}", one["id"].as_str().unwrap(), one["in"], one["out"], one["filtered"]);
        components.iter().map(word).collect::<Vec<_>>()
    };
    assert_eq!(short(&status), ["webhook_1 0 3 0", "filter_1 3 2 1", "response_1 2 0 0"]);
    assert_eq!(short(&run), short(&status));
    assert_eq!((&run["state"], &run["objects"]), (&json!("cancelled"), &json!(3)));
    assert_eq!(listed["items"][0].get("components"), None);
}

#[tokio::test]
async fn a_failed_object_says_why_and_the_task_goes_on() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let mut failing = broken("p");
    failing["components"][0] = json!({"id": "timer_1", "provider": "webhook", "config": {"mode": "Source"}});
    let task = ana.open(failing).await.unwrap();

    let object = Object { mime: "application/json".to_owned(), ..Object::default() };
    let (owner, key) = ("ana".to_owned().try_into().unwrap(), user.key_id.clone().try_into().unwrap());
    let call = tidemill_operations::Call { owner, key, scopes: vec![], now: world.now(), idempotency: None };
    let pipe = task::send::open(&world.plane, &call, &task.token, object).await.unwrap();
    pipe.write("{}".into()).await;
    let sent = pipe.close().await.unwrap();

    let error = sent.error.unwrap();
    assert!(error.contains("component `template_1`"), "{error}");
    let status = ana.status(&task.token).await.unwrap();
    assert_eq!((status.state, status.counts.failed_count, status.errors), (State::Open, 1, vec![error]));
}

#[tokio::test]
async fn an_object_whose_sender_goes_away_fails() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();

    drop(ana.pipe(&task.token).await.unwrap());
    while ana.status(&task.token).await.unwrap().in_flight > 0 {
        tokio::task::yield_now().await;
    }

    let status = ana.status(&task.token).await.unwrap();
    assert_eq!(status.counts.failed_count, 1);
    assert!(status.errors[0].contains("before the object was whole"), "{:?}", status.errors);
}

#[tokio::test]
async fn after_a_restart_of_the_task_the_next_objects_meet_the_new_pipeline() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();
    ana.send(&task.token, "hi").await.unwrap();
    let template = ("template", json!({"template": "new {{ value }}"}), "text");
    let changed = chain("p", &[("webhook", json!({}), "text"), template, ("response", json!({}), "")]);

    let before = ana.pipe(&task.token).await.unwrap();
    let restarted = ana.restart(&task.token, changed).await.unwrap();

    assert_eq!((&restarted.token, &restarted.run), (&task.token, &task.run));
    before.write("old".into()).await;
    assert_eq!(before.close().await.unwrap().result, echoed("old"));
    assert_eq!(ana.send(&task.token, "hi").await.unwrap().result, echoed("new hi"));
    assert_eq!(ana.status(&task.token).await.unwrap().counts.completed_count, 3);
}

#[tokio::test]
async fn a_key_that_was_seen_is_dropped_in_later_objects() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let links = [("webhook", json!({}), "text"), ("dedupe", json!({}), "text"), ("response", json!({}), "")];
    let task = ana.open(chain("p", &links)).await.unwrap();

    assert_eq!(ana.send(&task.token, "once").await.unwrap().result, echoed("once"));
    assert!(ana.send(&task.token, "once").await.unwrap().result.is_empty());
    let world = world.restarted().await;
    assert!(ana.at(&world).send(&task.token, "once").await.unwrap().result.is_empty());
}

#[tokio::test]
async fn what_objects_log_is_in_the_log_of_the_run() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let task = ana.open(chain("p", &[("webhook", json!({}), "text"), ("log", json!({}), "")])).await.unwrap();
    ana.send(&task.token, "first").await.unwrap();
    ana.send(&task.token, "second").await.unwrap();

    let logs = user.get(&format!("/v1/runs/{}/logs?project=p", task.run)).await.ok();

    let lines: Vec<&Value> = logs["items"].as_array().unwrap().iter().map(|line| &line["message"]).collect();
    assert_eq!(lines, ["first", "second"]);
}

#[tokio::test]
async fn objects_that_are_worked_on_side_by_side_keep_each_of_their_lines() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let links = [("webhook", json!({}), "text"), ("dedupe", json!({}), "text"), ("log", json!({}), "")];
    let task = ana.open_with(json!({"pipeline": chain("p", &links), "threads": 8})).await.unwrap();

    let texts: Vec<String> = (10..50).map(|number| format!("object {number}")).collect();
    for sent in futures::future::join_all(texts.iter().map(|text| ana.send(&task.token, text))).await {
        assert_eq!(sent.unwrap().error, None);
    }

    let (mut lines, mut from): (Vec<Value>, _) = (Vec::new(), json!(0));
    while lines.len() < texts.len() {
        let logs = user.get(&format!("/v1/runs/{}/logs?project=p&from={from}", task.run)).await.ok();
        assert_ne!(logs["next"], from, "only {} lines are kept", lines.len());
        from = logs["next"].clone();
        lines.extend(logs["items"].as_array().unwrap().iter().map(|line| line["message"].clone()));
    }
    lines.sort_by_key(Value::to_string);
    assert_eq!(lines, texts);
}

#[tokio::test]
async fn a_sum_beyond_all_our_numbers_leaves_its_task_readable() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();
    let owner = OwnerId::parse("ana").unwrap();
    for id in ["first", "second"] {
        let endless = Arriving { id, name: "endless", bytes: u64::MAX };
        let (now, store) = (world.now(), &world.plane.store);
        // What the table answers is that sum, too.
        let _ = store.accept(&owner, &task.token, &endless, now, now).await;
    }

    let status = ana.status(&task.token).await.unwrap();

    assert_eq!((status.counts.total_count, status.counts.total_size), (2, u64::MAX));
    assert_eq!(user.get("/v1/tasks").await.ok()["items"][0]["totalSize"], json!(u64::MAX));
}

#[tokio::test]
async fn a_body_that_is_announced_as_larger_than_any_object_is_refused() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();
    let headers = [("content-type", "text/plain"), ("content-length", "9223372036854775808")];

    let path = format!("/v1/tasks/{}/objects", task.token);
    let sent = user.send(http::Method::POST, &path, &headers, b"hi".to_vec()).await;

    assert_eq!(sent.refused(413), "too_large");
    assert_eq!(ana.status(&task.token).await.unwrap().counts.total_count, 0);
}

#[tokio::test]
async fn a_status_has_fifty_errors_at_most() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let failing = json!({"program": ".x | error(\"no\")"});
    let links = [("webhook", json!({}), "text"), ("json", failing, "text"), ("response", json!({}), "")];
    let task = ana.open_with(json!({"pipeline": chain("p", &links), "threads": 64})).await.unwrap();

    let pipes = futures::future::join_all((0..64).map(|_| ana.pipe(&task.token))).await;
    for pipe in pipes {
        let pipe = pipe.unwrap();
        pipe.write("{}".into()).await;
        pipe.close().await.unwrap();
    }

    let status = ana.status(&task.token).await.unwrap();
    assert_eq!((status.counts.failed_count, status.errors.len()), (64, 50));
}
