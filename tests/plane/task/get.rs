//! How a task stands.

use crate::given::tasks::caller;
use crate::given::{broken, chain, echo};
use http::Method;
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, seconds};

async fn opened(user: &User, pipeline: Value) -> String {
    let opened = user.post("/v1/tasks", json!({"pipeline": pipeline})).await.ok();
    opened["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_task_shows_what_it_took_and_how_it_ended() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let token = opened(&ana, echo("p")).await;
    let path = format!("/v1/tasks/{token}");

    let (objects, headers) = (format!("{path}/objects"), [("content-type", "text/plain")]);
    let sent = ana.send(Method::POST, &objects, &headers, b"hello".to_vec()).await.ok();
    world.sleep(seconds(3));
    let task = ana.get(&path).await.ok();

    assert_eq!(sent["result"], json!({"text": ["hello\n\n"], "result_types": {"text": "text"}}));
    assert_eq!((&task["token"], &task["project"], &task["state"]), (&json!(token), &json!("p"), &json!("open")));
    assert_eq!((&task["totalCount"], &task["completedCount"], &task["inFlight"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!((&task["totalSize"], &task["completedSize"]), (&json!(5), &json!(5)));
    assert_eq!((&task["end"], &task["endedAt"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_failed_object_is_reported_and_counted() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut pipeline = broken("p");
    pipeline["components"][0]["provider"] = "webhook".into();
    let token = opened(&ana, pipeline).await;

    let sent = ana.post(&format!("/v1/tasks/{token}/objects"), json!({"a": 1})).await.ok();

    assert!(sent["error"].as_str().unwrap().contains("template_1"), "{sent}");
    let task = ana.get(&format!("/v1/tasks/{token}")).await.ok();
    assert_eq!((&task["failedCount"], task["errors"].as_array().unwrap().len()), (&json!(1), 1));
}

#[tokio::test]
async fn bytes_are_counted_also_when_their_number_is_not_announced() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let task = ana.open(chain("p", &[("webhook", json!({}), "text"), ("log", json!({}), "")])).await.unwrap();
    let form = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nfour\r\n--x--\r\n";

    let path = format!("/task/data?token={}", task.token);
    let headers = [("content-type", "multipart/form-data; boundary=x")];
    user.send(Method::POST, &path, &headers, form.into()).await.ok();

    let counts = ana.status(&task.token).await.unwrap().counts;
    assert_eq!((counts.total_size, counts.completed_size), (4, 4));
}

#[tokio::test]
async fn another_owners_task_is_as_one_that_never_was() {
    let world = TestPlane::new().await;
    let (ana, bob) = (world.user("ana").await, world.user("bob").await);
    let token = opened(&ana, echo("p")).await;

    let his = bob.get(&format!("/v1/tasks/{token}")).await;
    let none = bob.get("/v1/tasks/tk_none").await;

    assert_eq!(his.body, none.body);
    assert_eq!(his.refused(404), "not_found");
}
