//! Beginning rollouts: one at a time for each group, and nothing is taken that is not well formed.

use crate::given::rollouts::{begin, broken, did, findings, live, roll_out, rollout, shown, wanted};
use http::Method;
use serde_json::{Value, json};
use tidemill_testing::TestPlane;

#[tokio::test]
async fn a_rollout_brings_its_pipelines_live_and_shows_what_it_did() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut request = rollout("night", &["a", "b"], "first");
    request["pipelines"][0]["schedule"] = "*/5 * * * *".into();
    request["git"] = json!({"commit": "4f2a9c1", "message": "ž".repeat(6000)});

    let done = roll_out(&world, &ana, request).await;

    assert_eq!((&done["state"], &done["progress"], &done["error"]), (&json!("succeeded"), &json!(100), &Value::Null));
    assert_eq!(did(&done), ["create a applied", "create b applied"]);
    assert_eq!(done["cut"], json!(["message"]));
    let a = ana.get("/v1/deployments/a").await.ok();
    assert_eq!((&a["schedule"], &a["group"], &a["state"]), (&json!("*/5 * * * *"), &json!("night"), &json!("active")));
    let version = ana.get("/v1/deployments/a/versions/1").await.ok();
    assert_eq!((&version["rollout"], &version["git"]["commit"]), (&done["id"], &json!("4f2a9c1")));
    world.advance(tidemill_testing::minutes(5)).await;
    assert_eq!(ana.ticks("a").await, ["ran"]);
    assert_eq!(findings(&ana).await, json!([]));
}

#[tokio::test]
async fn of_many_at_once_one_starts_and_the_others_learn_which() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let requests = (0..50).map(|i| ana.post("/v1/rollouts", rollout("night", &["a"], &format!("v{i}"))));

    let answers = futures::future::join_all(requests).await;

    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 202);
    assert_eq!((won.len(), lost.len()), (1, 49));
    let holder = won[0].body["id"].as_str().unwrap().to_owned();
    for refused in lost {
        assert!(refused.body["message"].as_str().unwrap().contains(&holder), "{}", refused.body);
        assert_eq!(refused.body["details"][0]["field"], "rollout");
        assert_eq!(refused.refused(409), "already_exists");
    }
    world.settle().await;
    assert_eq!(shown(&ana, &holder).await["state"], "succeeded");
    assert_eq!(roll_out(&world, &ana, rollout("night", &["a"], "next")).await["state"], "succeeded");
}

#[tokio::test]
async fn groups_and_owners_do_not_wait_for_each_other() {
    let world = TestPlane::new().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);

    let ids = [begin(&ana, rollout("night", &["a"], "x")).await, begin(&ana, rollout("day", &["b"], "x")).await];
    let other = begin(&ben, rollout("night", &["a"], "x")).await;

    assert_eq!(ana.get(&format!("/v1/rollouts/{other}")).await.refused(404), "not_found");
    assert_eq!(ana.post(&format!("/v1/rollouts/{other}/cancel"), Value::Null).await.refused(404), "not_found");
    world.settle().await;
    for id in ids {
        assert_eq!(shown(&ana, &id).await["state"], "succeeded");
    }
    assert_eq!(shown(&ben, &other).await["state"], "succeeded");
}

#[tokio::test]
async fn a_retry_under_its_idempotency_key_is_the_same_rollout() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let body = rollout("night", &["a"], "x").to_string().into_bytes();
    let headers = [("content-type", "application/json"), ("idempotency-key", "k1")];

    let first = ana.send(Method::POST, "/v1/rollouts", &headers, body.clone()).await.ok();
    let while_it_goes_on = ana.send(Method::POST, "/v1/rollouts", &headers, body.clone()).await.ok();
    world.settle().await;
    let after = ana.send(Method::POST, "/v1/rollouts", &headers, body).await.ok();
    let other = rollout("night", &["a"], "y").to_string().into_bytes();

    assert_eq!((&while_it_goes_on["id"], &after["id"]), (&first["id"], &first["id"]));
    assert_eq!(ana.send(Method::POST, "/v1/rollouts", &headers, other).await.refused(409), "conflict");
    assert_eq!(ana.get("/v1/rollouts").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_well_formed_is_refused_at_once_with_everything_that_is_wrong() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let twice = json!({"group": "night", "pipelines": [wanted("a", "x"), wanted("a", "y"), {"pipeline": {"components": []}},
        {"pipeline": {"project_id": "c"}}, {"pipeline": []}]});

    let refused = ana.post("/v1/rollouts", twice).await;

    let fields: Vec<_> =
        refused.body["details"].as_array().unwrap().iter().map(|detail| detail["field"].clone()).collect();
    assert_eq!(fields, ["pipelines[2]", "pipelines[3]", "pipelines[4]", "pipelines", "pipelines"], "{}", refused.body);
    assert_eq!(refused.refused(400), "invalid_argument");
    let nameless = ana.post("/v1/rollouts", json!({"pipelines": [wanted("a", "x")]})).await;
    assert!(nameless.body["message"].as_str().unwrap().contains("no group"));
    assert_eq!(ana.get("/v1/rollouts").await.ok()["items"], json!([]));
    assert_eq!(ana.get("/v1/groups").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_pipeline_that_cannot_run_is_refused_before_there_is_a_rollout() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a"], "old")).await;
    let mut request = rollout("night", &["a", "b"], "new");
    request["pipelines"]
        .as_array_mut()
        .unwrap()
        .extend([broken("c"), json!({"pipeline": wanted("d", "x")["pipeline"], "schedule": "* * *"})]);

    let refused = ana.post("/v1/rollouts", request).await;

    let shown: Vec<_> = refused.body["details"].as_array().unwrap().iter().map(|detail| &detail["field"]).collect();
    assert_eq!(refused.body["message"], "2 pipelines have 2 problems");
    assert_eq!(shown, ["pipelines[2]./components/0/provider", "pipelines[3].schedule"]);
    assert!(
        refused.body.to_string().contains("`c`: component `a` has the unknown provider `nope`"),
        "{}",
        refused.body
    );
    assert_eq!(refused.refused(400), "invalid_argument");
    assert_eq!(ana.get("/v1/rollouts").await.ok()["items"].as_array().unwrap().len(), 1);
    assert_eq!((live(&ana, "a").await, live(&ana, "b").await), (Some(1), None));
    assert_eq!(roll_out(&world, &ana, rollout("night", &["a"], "new")).await["state"], "succeeded");
}

#[tokio::test]
async fn all_problems_of_a_pipeline_are_reported_at_once_with_what_to_do() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut one = broken("a");
    one["pipeline"]["components"][0]["provider"] = "webhok".into();
    one["schedule"] = "* * *".into();
    one["maxAttempts"] = 99.into();
    one["note"] = "x".repeat(600).into();

    let refused = ana.post("/v1/rollouts", json!({"group": "night", "pipelines": [one]})).await;

    let message = refused.body.to_string();
    for part in ["`webhok`", "did you mean `webhook`", "* * *", "99", "600"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[tokio::test]
async fn names_that_are_too_long_are_refused() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let fields = [("title", 257), ("repository", 1_025)];
    for (field, length) in fields {
        let mut request = rollout("night", &["a"], "x");
        request[field] = "x".repeat(length).into();
        assert_eq!(ana.post("/v1/rollouts", request).await.refused(400), "invalid_argument");
        let group = json!({"group": "day", field: "x".repeat(length)});
        assert_eq!(ana.post("/v1/groups", group).await.refused(400), "invalid_argument");
    }
    let mut request = rollout("night", &["a"], "x");
    request["pipelines"][0]["type"] = "x".repeat(65).into();
    assert_eq!(ana.post("/v1/rollouts", request).await.refused(400), "invalid_argument");
}

#[tokio::test]
async fn what_brought_nothing_live_leaves_no_group() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, json!({"partial": true, "pipelines": [wanted("alone", "x")]})).await;
    roll_out(&world, &ana, rollout("day", &["b"], "x")).await;
    let failed = roll_out(&world, &ana, rollout("night", &["b"], "x")).await;
    assert_eq!(failed["state"], "failed");
    ana.post("/v1/rollouts", json!({"group": "dusk", "pipelines": [broken("a")]})).await.refused(400);
    roll_out(&world, &ana, rollout("day", &["b", "alone"], "x")).await;

    let groups = ana.get("/v1/groups").await.ok();

    let names: Vec<&Value> = groups["items"].as_array().unwrap().iter().map(|group| &group["group"]).collect();
    assert_eq!(names, ["day"]);
    assert_eq!(roll_out(&world, &ana, rollout("night", &["a"], "x")).await["state"], "succeeded");
    assert_eq!(ana.get("/v1/groups/night").await.ok()["members"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_single_pipeline_needs_no_group_and_joins_none() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a", "b"], "old")).await;

    let alone = json!({"partial": true, "pipelines": [wanted("a", "new")]});
    let done = roll_out(&world, &ana, alone).await;

    assert_eq!((&done["group"], did(&done)), (&json!("a"), vec!["update a applied".to_owned()]));
    assert_eq!((live(&ana, "a").await, live(&ana, "b").await), (Some(2), Some(1)));
    assert_eq!(ana.get("/v1/deployments/a").await.ok()["group"], "night");
}
