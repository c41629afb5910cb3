//! An owner's tasks.

use crate::given::echo;
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, minutes};

async fn open(user: &User, project: &str) -> String {
    let opened = user.post("/v1/tasks", json!({"pipeline": echo(project)})).await.ok();
    opened["token"].as_str().unwrap().to_owned()
}

async fn listed(user: &User) -> Vec<(Value, Value)> {
    let list = user.get("/v1/tasks").await.ok();
    list["items"].as_array().unwrap().iter().map(|task| (task["project"].clone(), task["state"].clone())).collect()
}

#[tokio::test]
async fn tasks_are_listed_newest_first_and_ended_ones_for_five_minutes() {
    let world = TestPlane::new().await;
    let (ana, bob) = (world.user("ana").await, world.user("bob").await);
    let first = open(&ana, "p").await;
    world.sleep(minutes(1));
    open(&ana, "q").await;

    ana.delete(&format!("/v1/tasks/{first}")).await.ok();

    assert_eq!(listed(&ana).await, [(json!("q"), json!("open")), (json!("p"), json!("ended"))]);
    assert_eq!(listed(&bob).await, []);
    world.sleep(minutes(6));
    assert_eq!(listed(&ana).await, [(json!("q"), json!("open"))]);
}
