//! RocketRide's HTTP routes: who may use them, what they answer, and what they never show.

use crate::given::{broken, chain, echo};
use http::Method;
use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_testing::{Answer, TestPlane, User, minutes};

/// The token of a new task.
async fn open(user: &User, pipeline: Value) -> String {
    let opened = user.post("/task", pipeline).await.ok();
    opened["data"]["token"].as_str().unwrap_or_else(|| panic!("{opened}")).to_owned()
}

/// A caller who has nothing but a token.
fn holder(world: &TestPlane, token: &str) -> User {
    User::new(world.plane.clone(), token, "")
}

async fn public_token(user: &User, token: &str) -> String {
    let body = json!({"pipeline": echo("p"), "useExisting": true});
    let opened = user.post("/v1/tasks", body).await.ok();
    assert_eq!(opened["token"], token);
    opened["publicToken"].as_str().unwrap().to_owned()
}

#[track_caller]
fn message_of(answer: Answer, status: u16) -> String {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    assert_eq!(answer.body["status"], "Error");
    answer.body["error"]["message"].as_str().expect("an error has a message").to_owned()
}

async fn send(user: &User, path: &str, content_type: &str, body: &str) -> Answer {
    user.send(Method::POST, path, &[("content-type", content_type)], body.into()).await
}

fn form(fields: &[(&str, &str)]) -> String {
    let part = |(head, body): &(&str, &str)| format!("--x\r\ncontent-disposition: form-data; {head}\r\n\r\n{body}\r\n");
    fields.iter().map(part).collect::<String>() + "--x--\r\n"
}

const FORM: &str = "multipart/form-data; boundary=x";

#[tokio::test]
async fn a_task_is_opened_shown_sent_to_and_ended() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let token = open(&ana, echo("p")).await;
    let sent = send(&ana, &format!("/task/data?token={token}"), "text/plain", "hello").await.ok();
    let status = ana.get(&format!("/task?token={token}")).await.ok();
    let ended = ana.delete(&format!("/task?token={token}")).await.ok();

    assert_eq!((&sent["status"], &sent["data"]["objectsRequested"]), (&json!("OK"), &json!(1)));
    assert_eq!(
        (&sent["data"]["objectsCompleted"], &sent["data"]["resultTypes"]),
        (&json!(1), &json!({"text": "text"}))
    );
    let object = &sent["data"]["objects"]["body"];
    assert_eq!(
        (&object["text"], &object["status"], &object["path"]),
        (&json!(["hello\n\n"]), &json!("OK"), &json!(""))
    );
    assert_eq!((&status["data"]["state"], &status["data"]["completedCount"]), (&json!(3), &json!(1)));
    assert_eq!(ended, json!({"status": "OK"}));
    assert_eq!(ana.get(&format!("/task?token={token}")).await.ok()["data"]["state"], 6);
}

#[tokio::test]
async fn a_body_is_read_by_its_content_and_inflated() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let token = open(&ana, echo("p")).await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, b"\xef\xbb\xbf{\"a\": 1}").unwrap();
    let gzip = encoder.finish().unwrap();

    let curl = ("content-type", "application/x-www-form-urlencoded");
    for (headers, body) in [
        (vec![curl], b"{\"a\": 1}".to_vec()),
        (vec![], b"{\"a\": 1}".to_vec()),
        (vec![("content-type", "application/json"), ("content-encoding", "gzip")], gzip),
    ] {
        for (path, object) in [("/webhook?token=", "/data/objects/body"), ("/v1/tasks/", "/result")] {
            let end = if path == "/v1/tasks/" { "/objects" } else { "" };
            let sent = ana.send(Method::POST, &format!("{path}{token}{end}"), &headers, body.clone()).await.ok();
            assert_eq!(sent.pointer(object).unwrap()["documents"], json!([{"a": 1}]), "{headers:?} {sent}");
        }
    }
}

#[tokio::test]
async fn old_clients_put_what_newer_ones_post() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let opened = ana.put("/task?threads=64&trace=none&unknown=1", json!({"pipeline": echo("p")})).await.ok();
    let token = opened["data"]["token"].as_str().unwrap();
    let sent = ana.put(&format!("/task/process?token={token}"), json!({"a": 1})).await.ok();

    assert_eq!(sent["data"]["objects"]["body"]["documents"], json!([{"a": 1}]));
}

#[tokio::test]
async fn each_field_of_a_form_is_an_object_and_repeated_ones_are_numbered() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let token = open(&ana, echo("p")).await;
    let file = "name=\"files\"; filename=\"a.txt\"\r\ncontent-type: text/plain";
    let fields = form(&[("name=\"note\"", "one"), (file, "two"), ("name=\"files\"", "three")]);

    let sent = send(&ana, &format!("/webhook?token={token}"), FORM, &fields).await.ok()["data"].clone();

    assert_eq!((&sent["objectsRequested"], &sent["objectsCompleted"]), (&json!(3), &json!(3)));
    assert_eq!(sent["objects"]["note"]["text"], json!(["one\n\n"]));
    assert_eq!(
        (&sent["objects"]["files_0"]["text"], &sent["objects"]["files_0"]["name"]),
        (&json!(["two\n\n"]), &json!("a.txt"))
    );
    assert_eq!(sent["objects"]["files_1"]["text"], json!(["three\n\n"]));
}

#[tokio::test]
async fn a_failed_object_is_reported_within_a_success() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut pipeline = broken("p");
    pipeline["components"][0]["provider"] = "webhook".into();
    let token = open(&ana, pipeline).await;

    let sent = send(&ana, &format!("/task/data?token={token}"), "application/json", "{}").await.ok();

    let object = &sent["data"]["objects"]["body"];
    assert_eq!((&sent["status"], &object["status"]), (&json!("OK"), &json!("Error")));
    assert!(object["error"].as_str().unwrap().contains("template_1"), "{object}");
    assert_eq!(sent["data"]["objectsCompleted"], 0);
}

#[tokio::test]
async fn a_body_is_named_by_its_disposition() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let token = open(&ana, echo("p")).await;
    let headers = [("content-type", "text/plain"), ("content-disposition", "attachment; filename=\"a b.txt\"")];

    let sent = ana.send(Method::POST, &format!("/task/data?token={token}"), &headers, b"x".to_vec()).await.ok();

    assert_eq!(sent["data"]["objects"]["body"]["name"], "a b.txt");
}

#[tokio::test]
async fn a_caller_without_a_live_key_is_denied_in_the_form_that_it_reads() {
    let world = TestPlane::new().await;
    let revoked = world.user("ana").await;
    world.user("ana").await.delete(&format!("/v1/keys/{}", revoked.key_id)).await.ok();

    for user in [world.anonymous(), revoked, holder(&world, "tm_local_nonsense"), holder(&world, "nonsense")] {
        for (method, path) in [
            (Method::POST, "/task"),
            (Method::GET, "/task"),
            (Method::DELETE, "/task?token=t"),
            (Method::POST, "/webhook"),
            (Method::GET, "/status"),
        ] {
            let denied = user.send(method.clone(), path, &[], Vec::new()).await;
            assert_eq!(denied.status, 401, "{method} {path}");
            assert_eq!(denied.headers["www-authenticate"], "Bearer");
            assert_eq!(denied.body, json!({"status": "Error", "error": {"error": "Access denied"}}));
        }
    }
    for (accept, content_type) in [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("application/json, text/plain, */*", "application/json"),
        ("*/*", "application/json"),
    ] {
        let denied = world.anonymous().send(Method::GET, "/task?token=t", &[("accept", accept)], Vec::new()).await;
        assert_eq!((denied.status.as_u16(), denied.headers["content-type"].to_str().unwrap()), (401, content_type));
        assert!(denied.body.to_string().contains("Access denied"));
    }
}

#[tokio::test]
async fn a_bare_key_is_a_key() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let status = world.anonymous().send(Method::GET, "/status", &[("authorization", &ana.key)], Vec::new()).await.ok();

    assert_eq!(status["data"]["server"]["uptime"], 0);
}

#[tokio::test]
async fn what_is_missing_or_cannot_be_read_is_422() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    for path in ["/task", "/task?token="] {
        assert_eq!(message_of(ana.get(path).await, 422), "Task token is required");
        assert_eq!(message_of(ana.delete(path).await, 422), "Task token is required");
    }
    assert_eq!(message_of(send(&ana, "/task/data", "text/plain", "x").await, 422), "Task token is required");
    for path in ["/task?threads=0", "/task?threads=65", "/task?threads=x", "/task?trace=loud"] {
        message_of(ana.post(path, echo("p")).await, 422);
    }
    assert_eq!(message_of(ana.post("/task", Value::Null).await, 422), "pipeline is required");
    assert_eq!(message_of(ana.post("/task", json!([])).await, 422), "pipeline must be an object");
    message_of(send(&ana, "/task", "application/json", "{").await, 422);
    message_of(send(&ana, "/pipe/validate", "application/json", "").await, 422);
    for odd in ["{", "[]", "1", "\"{}\"", "\u{0}", &"[".repeat(100_000)] {
        message_of(send(&ana, "/pipe/validate", "application/json", odd).await, 400);
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_400_and_says_why() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let watcher = world.user_with("ana", &[Scope::Monitor]).await;
    let token = open(&ana, echo("p")).await;

    for (answer, reason) in [
        (ana.post("/task", echo("p")).await, "Pipeline is already running"),
        (ana.post("/task", json!({"components": []})).await, "components"),
        (ana.delete("/task?token=tk_never").await, "Your pipeline is not running"),
        (ana.get("/task?token=tk_never").await, "Your pipeline is not running"),
        (send(&ana, "/webhook?token=tk_never", "text/plain", "x").await, "Your pipeline is not running"),
        (
            send(&ana, "/webhook?token=tk_never", FORM, &form(&[("name=\"a\"", "x")])).await,
            "Your pipeline is not running",
        ),
        (watcher.delete(&format!("/task?token={token}")).await, "task.control"),
        (ana.get("/services?service=nope").await, "nope"),
        (send(&ana, &format!("/webhook?token={token}"), FORM, "no form").await, "body"),
    ] {
        let message = message_of(answer, 400);
        assert!(message.contains(reason), "{message}");
    }
    ana.delete(&format!("/task?token={token}")).await.ok();
    assert!(message_of(ana.delete(&format!("/task?token={token}")).await, 400).contains("ended"));
    assert!(message_of(send(&ana, &format!("/webhook?token={token}"), "text/plain", "x").await, 400).contains("ended"));
}

#[tokio::test]
async fn a_tasks_own_token_stands_for_the_task_and_nothing_else() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (token, other) = (open(&ana, echo("p")).await, open(&ana, echo("q")).await);
    let holder = holder(&world, &token);

    for path in ["/task", &format!("/task?token={token}")] {
        assert_eq!(holder.get(path).await.ok()["data"]["project_id"], "p");
    }
    send(&holder, "/webhook", "text/plain", "hi").await.ok();
    for answer in [
        holder.get(&format!("/task?token={other}")).await,
        holder.delete(&format!("/task?token={other}")).await,
        send(&holder, &format!("/webhook?token={other}"), "text/plain", "hi").await,
        holder.post("/task", echo("r")).await,
        holder.get("/status").await,
    ] {
        assert!(message_of(answer, 400).contains("that task alone"));
    }
    for path in ["/v1/tasks", "/v1/deployments", "/v1/keys"] {
        assert_eq!(holder.get(path).await.refused(401), "unauthenticated");
    }
    holder.delete("/task").await.ok();
}

#[tokio::test]
async fn a_public_token_only_sends() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let token = open(&ana, echo("p")).await;
    let public = public_token(&ana, &token).await;
    let sender = holder(&world, &public);

    let sent = send(&sender, "/webhook", "text/plain", "hi").await.ok();
    send(&sender, &format!("/webhook?token={public}"), "text/plain", "hi").await.ok();

    assert_eq!(sent["data"]["objects"]["body"]["text"], json!(["hi\n\n"]));
    for answer in [sender.get("/task").await, sender.delete("/task").await] {
        assert!(message_of(answer, 400).contains("only send"));
    }
}

#[tokio::test]
async fn the_tokens_of_a_task_that_is_gone_are_400() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let token = open(&ana, echo("p")).await;
    let public = public_token(&ana, &token).await;
    ana.delete(&format!("/task?token={token}")).await.ok();
    world.sleep(minutes(6));

    for credential in [token, public] {
        let answer = send(&holder(&world, &credential), "/webhook", "text/plain", "hi").await;
        assert!(message_of(answer, 400).contains("Your pipeline is not running"));
    }
}

#[tokio::test]
async fn another_owners_token_opens_shows_replaces_and_ends_nothing() {
    let world = TestPlane::new().await;
    let (ana, bob) = (world.user("ana").await, world.user("bob").await);
    let hers = ana.post("/task?token=UPLOAD_TASK", echo("hers")).await.ok()["data"]["token"].clone();
    let token = open(&ana, echo("p")).await;

    let his = bob.post("/task?token=UPLOAD_TASK", echo("his")).await.ok()["data"]["token"].clone();
    let mine = bob.post(&format!("/task?token={token}"), echo("p")).await.ok()["data"]["token"].clone();

    assert_eq!((hers, his, &mine), (json!("UPLOAD_TASK"), json!("UPLOAD_TASK"), &json!(token)));
    bob.delete("/task?token=UPLOAD_TASK").await.ok();
    bob.delete(&format!("/task?token={token}")).await.ok();
    for (task, project) in [("UPLOAD_TASK", "hers"), (&token, "p")] {
        let status = ana.get(&format!("/task?token={task}")).await.ok()["data"].clone();
        assert_eq!((&status["state"], &status["project_id"]), (&json!(3), &json!(project)));
    }
    assert_eq!(holder(&world, &token).get("/task").await.ok()["data"]["state"], 3, "the credential is still hers");
}

#[tokio::test]
async fn public_tokens_follow_from_nothing_that_anybody_knows() {
    let world = TestPlane::new().await;
    let mut tokens = std::collections::BTreeSet::new();
    for owner in ["ana", "bob"] {
        let user = world.user(owner).await;
        for _ in 0..2 {
            let token = open(&user, echo("p")).await;
            let public = public_token(&user, &token).await;
            assert_eq!(public.len(), 3 + 32);
            tokens.insert(public.clone());
            tokens.insert(token.clone());
            let sent = send(&holder(&world, &public), "/webhook", "text/plain", owner).await.ok();
            assert_eq!(sent["data"]["objects"]["body"]["text"], json!([format!("{owner}\n\n")]));
            user.delete(&format!("/task?token={token}")).await.ok();
        }
    }
    assert_eq!(tokens.len(), 8);
}

#[tokio::test]
async fn no_answer_contains_paths_files_lines_or_tokens() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let writer = chain("p", &[("webhook", json!({}), "text"), ("file_sink", json!({"path": "taken"}), "")]);
    std::fs::create_dir_all(world.folder().join("ana/taken")).unwrap();
    let written = open(&ana, writer).await;
    let token = open(&ana, echo("q")).await;

    for answer in [
        ana.get("/task?token=../../users/bob/tasks/x").await,
        ana.delete(&format!("/task?token={token}x")).await,
        send(&ana, &format!("/webhook?token={written}"), "text/plain", "x").await,
        ana.post("/task", json!({"components": "x"})).await,
        send(&ana, "/task", "application/json", "{\"a\":").await,
        send(&ana, &format!("/webhook?token={token}"), FORM, "x").await,
    ] {
        let text = answer.body.to_string();
        for hidden in ["lineno", ".rs", "/work", "/tmp", "users/", token.as_str()] {
            assert!(!text.contains(hidden), "`{hidden}` in {text}");
        }
        assert!(text.contains("\"Error\""), "{text}");
    }
}

#[tokio::test]
async fn what_is_for_everybody_needs_no_key() {
    let world = TestPlane::new().await;
    let caller = world.anonymous();

    assert_eq!(caller.get("/ping").await.ok(), json!({"status": "OK"}));
    assert!(caller.get("/version").await.ok()["data"]["version"].is_string());
    assert!(caller.get("/services").await.ok()["data"]["services"]["webhook"]["lanes"].is_object());
    assert_eq!(caller.get("/services?service=webhook").await.ok()["data"]["prefix"], "webhook");
    let valid = caller.post("/pipe/validate", echo("p")).await.ok();
    assert_eq!((&valid["data"]["pipeline"]["version"], &valid["data"]["errors"]), (&json!(1), &Value::Null));
    let invalid = caller.post("/pipe/validate?source=nope", json!({"pipeline": echo("p")})).await.ok();
    assert!(invalid["data"]["errors"].to_string().contains("nope"), "{invalid}");
}

#[tokio::test]
async fn a_second_delete_is_an_error_as_over_the_websocket() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let token = open(&ana, echo("p")).await;
    ana.delete(&format!("/task?token={token}")).await.ok();

    let again = ana.delete(&format!("/task?token={token}")).await;

    assert!(message_of(again, 400).starts_with("Your pipeline is not running"));
}
