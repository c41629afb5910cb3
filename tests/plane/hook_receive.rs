//! Webhooks.

use serde_json::{Value, json};
use tidemill_operations::plane::traffic::HOOK_RATE;
use tidemill_testing::{TestPlane, minutes};

fn echo(project: &str) -> Value {
    json!({
        "project_id": project,
        "source": "in",
        "components": [
            {"id": "in", "provider": "webhook", "config": {"mode": "Source", "type": "webhook"}},
            {"id": "out", "provider": "response", "config": {"lanes": []}, "input": [{"lane": "text", "from": "in"}]},
        ],
    })
}

async fn deployed(world: &TestPlane) -> (tidemill_testing::User, String) {
    let ana = world.user("ana").await;
    let added = ana.deploy(echo("p"), "manual").await.ok();
    let hook = added["hook"].as_str().unwrap().to_owned();
    (ana, hook)
}

#[tokio::test]
async fn an_accepted_body_is_run_also_if_the_plane_dies_right_after() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;

    let accepted =
        world.anonymous().send(http::Method::POST, &hook, &[("content-type", "text/plain")], b"hi".to_vec()).await;
    assert_eq!(accepted.status, 202);
    let run = accepted.ok()["id"].as_str().unwrap().to_owned();
    let world = world.restarted().await;
    world.settle().await;

    let ended = ana.at(&world.plane).get(&format!("/v1/runs/{run}")).await.ok();
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(ended["trigger"], "webhook");
    assert_eq!(ended["result"]["text"], json!(["hi\n\n"]));
}

#[tokio::test]
async fn bodies_that_come_at_once_run_one_after_the_other() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    for number in 0..5 {
        let headers = [("content-type", "text/plain")];
        world.anonymous().send(http::Method::POST, &hook, &headers, number.to_string().into_bytes()).await.ok();
    }

    world.advance(minutes(1)).await;

    let runs = ana.runs("p").await;
    assert_eq!(runs.len(), 5);
    assert!(runs.iter().all(|run| run["state"] == "succeeded"), "{runs:?}");
}

#[tokio::test]
async fn unknown_removed_and_malformed_hooks_have_the_same_answer() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    ana.delete("/v1/deployments/p").await.ok();

    let caller = world.anonymous();
    let mut bodies = Vec::new();
    for path in [hook.as_str(), "/hooks/00000000000000000000000000", "/hooks/x"] {
        let answer = caller.post(path, json!({})).await;
        assert_eq!(answer.status, 404);
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_paused_project_takes_no_webhooks() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();

    let answer = world.anonymous().post(&hook, json!({})).await;

    assert_eq!(answer.headers["retry-after"], "300");
    assert!(answer.body["message"].as_str().unwrap().contains("it is paused"), "{}", answer.body);
    assert_eq!(answer.refused(503), "unavailable");
    assert_eq!(ana.runs("p").await.len(), 0);
}

#[tokio::test]
async fn an_errored_project_is_not_called_paused() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    ana.patch("/v1/deployments/p", json!({"schedule": "* * * * *"})).await.ok();
    world.user("ana").await.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();
    world.advance(minutes(2)).await;

    let answer = world.anonymous().post(&hook, json!({})).await;

    assert_eq!(answer.headers["retry-after"], "300");
    assert!(answer.body["message"].as_str().unwrap().contains("it is errored"), "{}", answer.body);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_name() {
    let world = TestPlane::new().await;
    let (_, hook) = deployed(&world).await;

    let answer = world.anonymous().send(http::Method::POST, &hook, &[], vec![b'x'; 1024 * 1024 + 1]).await;

    assert!(answer.body["message"].as_str().unwrap().contains("limit is 1048576"));
    assert_eq!(answer.refused(413), "too_large");
}

/// A project that shows what its hook gives on a lane.
async fn listening(world: &TestPlane, lane: &str) -> (tidemill_testing::User, String) {
    let ana = world.user("ana").await;
    let mut pipeline = echo("p");
    pipeline["components"][1]["input"][0]["lane"] = lane.into();
    let added = ana.deploy(pipeline, "manual").await.ok();
    (ana, added["hook"].as_str().unwrap().to_owned())
}

/// What the run of a body gave on a lane.
async fn given(lane: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Value {
    let world = TestPlane::new().await;
    let (ana, hook) = listening(&world, lane).await;
    world.anonymous().send(http::Method::POST, &hook, headers, body.to_vec()).await.ok();
    world.settle().await;
    let runs = ana.runs("p").await;
    let run = ana.get(&format!("/v1/runs/{}", runs[0]["id"].as_str().unwrap())).await.ok();
    assert_eq!(run["state"], "succeeded", "{run}");
    run["result"][lane].clone()
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn json_is_taken_whatever_its_sender_says_it_is() {
    for headers in
        [&[FORM][..], &[], &[("content-type", "application/cloudevents+json")], &[("content-type", "text/plain")]]
    {
        assert_eq!(given("documents", headers, b"\xef\xbb\xbf{\"id\": 5}").await, json!([{"id": 5}]), "{headers:?}");
    }
}

#[tokio::test]
async fn forms_are_objects_and_parts_are_objects_of_their_own() {
    assert_eq!(given("documents", &[FORM], b"a=1&b=x+y").await, json!([{"a": "1", "b": "x y"}]));
    assert_eq!(given("documents", &[FORM], b"payload=%7B%22ref%22%3A%22main%22%7D").await, json!([{"ref": "main"}]));
    let multipart = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\none\r\n\
        --x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\ntwo\r\n--x--\r\n";
    let headers = [("content-type", "multipart/form-data; boundary=x")];
    assert_eq!(given("text", &headers, multipart.as_bytes()).await, json!(["one\n\ntwo\n\n"]));
}

#[tokio::test]
async fn text_arrives_in_its_charset_and_inflated() {
    let gzip = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"T\xfcr").unwrap();
        encoder.finish().unwrap()
    };
    let headers = [("content-type", "text/plain; charset=iso-8859-1"), ("content-encoding", "gzip")];
    assert_eq!(given("text", &headers, &gzip).await, json!(["Tür\n\n"]));
    assert_eq!(given("documents", &[], b"").await, json!([null]));
}

#[tokio::test]
async fn what_the_pipeline_cannot_take_is_refused_before_there_is_a_run() {
    let world = TestPlane::new().await;
    let (ana, hook) = listening(&world, "documents").await;
    let json = ("content-type", "application/json");
    for (headers, body, status) in [
        (&[("content-type", "image/png")][..], &b"\x89PNG"[..], 415),
        (&[json, ("content-encoding", "br")], b"{}", 415),
        (&[json], b"{\"a\":", 400),
        (&[], b"{\"a\":", 400),
        (&[("content-type", "application/json; charset=klingon")], b"{}", 400),
        (&[json, ("content-encoding", "gzip")], b"{}", 400),
        (&[("content-type", "multipart/form-data; boundary=x")], b"--x\r\n", 400),
    ] {
        let answer = world.anonymous().send(http::Method::POST, &hook, headers, body.to_vec()).await;
        assert_eq!(answer.status, status, "{headers:?} {}", answer.body);
    }
    let text = world.anonymous().send(http::Method::POST, &hook, &[("content-type", "text/csv")], b"a".to_vec()).await;
    assert!(text.body["hint"].as_str().unwrap().contains("`application/json`"), "{}", text.body);
    assert_eq!(text.refused(415), "unsupported_media_type");
    assert_eq!(ana.runs("p").await.len(), 0);
}

/// What a sender is answered who waits for a run that fails.
async fn waited_for_a_failure(query: &str) -> tidemill_testing::Answer {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut pipeline = echo("p");
    pipeline["components"][1] = json!({
        "id": "inner", "provider": "json", "config": {"program": "error(\"hidden\")"},
        "input": [{"lane": "text", "from": "in"}],
    });
    let added = ana.deploy(pipeline, "manual").await.ok();
    let path = format!("{}?{query}", added["hook"].as_str().unwrap());
    let sender = world.anonymous();
    let working = async {
        loop {
            world.settle().await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = sender.send(http::Method::POST, &path, &[("content-type", "text/plain")], b"hi".to_vec()) => answer,
        () = working => unreachable!("it works without an end"),
    }
}

#[tokio::test]
async fn a_failure_is_no_success_and_shows_its_sender_nothing_of_the_inside() {
    for (query, status) in [("wait=5", 502), ("wait=5&status=200", 200), ("wait=5&status=paid&status=x", 502)] {
        let answer = waited_for_a_failure(query).await;

        let shown = answer.body.to_string();
        assert_eq!(answer.status, status, "{query} {shown}");
        assert!(!shown.contains("hidden") && !shown.contains("inner"), "{shown}");
        match status {
            200 => assert_eq!(answer.body["state"], "failed"),
            _ => assert_eq!(answer.body["code"], "run_failed"),
        }
    }
}

/// Sends text to a hook, with headers.
async fn sent(world: &TestPlane, hook: &str, headers: &[(&str, &str)], body: &str) -> tidemill_testing::Answer {
    let headers = [&[("content-type", "text/plain")], headers].concat();
    world.anonymous().send(http::Method::POST, hook, &headers, body.as_bytes().to_vec()).await
}

#[tokio::test]
async fn a_hook_that_is_called_too_often_is_refused_with_the_time_to_wait() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    let other = ana.deploy(echo("q"), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    // A call that is refused for its wait counts, and costs the test little.
    let noise = format!("{hook}?wait=26");
    for _ in 0..HOOK_RATE.burst {
        assert_eq!(world.anonymous().post(&noise, json!({})).await.status, 400);
    }

    let refused = sent(&world, &hook, &[], "hi").await;

    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.refused(429), "rate_limited");
    assert_eq!(sent(&world, &other, &[], "hi").await.status, 202, "another hook of the same owner");
    world.sleep(std::time::Duration::from_secs(1));
    let allowed = HOOK_RATE.per_second;
    for _ in 0..allowed {
        assert_eq!(world.anonymous().post(&noise, json!({})).await.status, 400);
    }
    assert_eq!(sent(&world, &hook, &[], "hi").await.status, 429);
}

#[tokio::test]
async fn a_body_that_is_refused_writes_nothing() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    sent(&world, &hook, &[], "the plan is read once").await.ok();
    world.settle().await;
    world.faults.die(None);

    let large = "x".repeat(1024 * 1024 + 1);
    for (headers, body, status) in [
        (&[("content-type", "application/json")][..], "{", 400),
        (&[("content-type", "image/png")], "x", 415),
        (&[("content-type", "text/plain"), ("content-encoding", "gzip")], "no gzip", 400),
        (&[("content-type", "text/plain"), ("content-encoding", "br")], "x", 415),
        (&[("content-type", "text/plain; charset=none")], "x", 400),
        (&[("content-type", "text/plain")], large.as_str(), 413),
        (&[("content-type", "text/plain"), ("idempotency-key", "")], "x", 400),
    ] {
        let answer = world.anonymous().send(http::Method::POST, &hook, headers, body.as_bytes().to_vec()).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.body);
    }

    let reads = ["GetItem", "Query", "BatchGetItem"];
    let writes: Vec<_> = world.faults.calls().into_iter().filter(|call| !reads.contains(&&*call.operation)).collect();
    assert!(writes.is_empty(), "{writes:?}");
    assert_eq!(ana.runs("p").await.len(), 1);
}

#[tokio::test]
async fn a_flood_on_one_hook_writes_each_body_once() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    world.faults.die(None);

    let flood = (0..64).map(|number| {
        let (world, hook) = (&world, &hook);
        async move { sent(world, hook, &[], &number.to_string()).await.status.as_u16() }
    });
    let answers = futures::future::join_all(flood).await;

    assert_eq!(answers, [202; 64]);
    let written = world.faults.calls().iter().filter(|call| call.operation == "TransactWriteItems").count();
    assert_eq!(written, 64, "the bodies of one hook do not overtake each other in vain");
    assert_eq!(ana.runs("p").await.len(), 64);
}

#[tokio::test]
async fn a_repetition_with_the_same_idempotency_key_starts_no_second_run() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    let key = [("idempotency-key", "k-1"), ("x-attempt", "1")];

    let (first, twin) = futures::join!(sent(&world, &hook, &key, "hi"), sent(&world, &hook, &key, "hi"));
    world.settle().await;
    let retried = [("idempotency-key", "k-1"), ("x-attempt", "2")];
    let again = sent(&world, &format!("{hook}?wait=1"), &retried, "hi").await;
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();
    let paused = sent(&world, &hook, &retried, "hi").await;

    let runs = ana.runs("p").await;
    assert_eq!(runs.len(), 1);
    for answer in [&first, &twin, &again, &paused] {
        assert_eq!(answer.body["id"], runs[0]["id"]);
    }
    let replayed = [&first, &twin, &again, &paused].map(|one| one.headers.contains_key("idempotent-replayed"));
    assert_eq!(replayed.iter().filter(|one| **one).count(), 3, "{replayed:?}");
    assert_eq!((again.status.as_u16(), &again.body["result"]["text"]), (200, &json!(["hi\n\n"])));
}

#[tokio::test]
async fn an_idempotency_key_of_a_hook_serves_one_body_for_a_day() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    let key = [("idempotency-key", "k-1")];
    sent(&world, &hook, &key, "hi").await.ok();

    assert_eq!(sent(&world, &hook, &key, "ho").await.refused(409), "conflict");
    let other = ana.deploy(echo("q"), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    assert_eq!(sent(&world, &other, &key, "ho").await.status, 202, "its sender has keys of its own");
    world.advance(minutes(24 * 60)).await;
    assert_eq!(sent(&world, &hook, &key, "ho").await.refused(409), "conflict", "in the last second of the day, too");
    world.advance(minutes(1)).await;
    assert_eq!(sent(&world, &hook, &key, "ho").await.status, 202);
}

/// What was asked of the table, by operation and first sort key.
fn asked(world: &TestPlane) -> Vec<String> {
    let calls = world.faults.calls().into_iter();
    calls
        .map(|call| {
            let of = |item: &Value| item["sk"]["S"].as_str().unwrap_or_default().split('#').next().unwrap().to_owned();
            let items = call.request["TransactItems"].as_array().map(|writes| {
                writes
                    .iter()
                    .flat_map(|write| write.as_object().unwrap().values())
                    .map(|write| of(&write["Item"]))
                    .collect()
            });
            let one = || vec![of(call.request.get("Key").or(call.request.get("Item")).unwrap_or(&Value::Null))];
            format!("{} {}", call.operation, items.unwrap_or_else(one).join(" ")).trim_end().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_body_is_run_without_a_look_at_what_was_just_written() {
    let world = TestPlane::new().await;
    let (_, hook) = deployed(&world).await;
    for _ in 0..2 {
        sent(&world, &hook, &[], "hi").await.ok();
        world.settle().await;
    }
    world.faults.die(None);

    sent(&world, &hook, &[], "hi").await.ok();
    world.settle().await;

    let expected = [
        "GetItem HOOK",
        "GetItem deployment",
        "TransactWriteItems deployment run",
        "TransactWriteItems deployment run",
        "PutItem run",
    ];
    assert_eq!(asked(&world), expected);
}

/// Tokio's time stands still while something works, so a look after a pause never comes.
#[tokio::test(start_paused = true)]
async fn who_waits_is_woken_by_the_end() {
    let world = TestPlane::new().await;
    let (_, hook) = deployed(&world).await;
    let working = async {
        for _ in 0..1_000_000 {
            world.settle().await;
            tokio::task::yield_now().await;
        }
    };

    let waiting = format!("{hook}?wait=20");
    let answer = tokio::select! {
        answer = sent(&world, &waiting, &[], "hi") => answer,
        () = working => panic!("the run has ended, and its caller still waits"),
    };

    assert_eq!(answer.ok()["state"], "succeeded");
    let looks = asked(&world).into_iter().filter(|call| call == "GetItem run").count();
    assert_eq!(looks, 1);
}

#[tokio::test]
async fn a_body_that_was_accepted_before_a_pause_waits_for_the_end_of_it() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    let run = sent(&world, &hook, &[], "hi").await.ok()["id"].as_str().unwrap().to_owned();
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();

    world.settle().await;
    assert_eq!(ana.get(&format!("/v1/runs/{run}")).await.ok()["state"], "queued");
    ana.post("/v1/deployments/p/resume", json!({})).await.ok();
    world.settle().await;

    assert_eq!(ana.get(&format!("/v1/runs/{run}")).await.ok()["state"], "succeeded");
}
