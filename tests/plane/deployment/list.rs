//! Listing deployments, page by page.

use crate::given::broken;
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, minutes, pipeline};

async fn names(user: &User, query: &str) -> Vec<String> {
    let page = user.get(&format!("/v1/deployments?{query}")).await.ok();
    page["items"].as_array().unwrap().iter().map(|item| item["project"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_hold_every_deployment_once_and_no_removed_one() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for number in 0..25 {
        ana.deploy(pipeline(&format!("p{number:02}")), "manual").await.ok();
    }
    for number in [3, 4, 5, 24] {
        ana.delete(&format!("/v1/deployments/p{number:02}")).await.ok();
    }

    let mut seen = Vec::new();
    let mut path = "/v1/deployments?limit=4".to_owned();
    loop {
        let page = ana.get(&path).await.ok();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 4);
        seen.extend(items.iter().map(|item| item["project"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/deployments?limit=4&cursor={next}"),
            None => break,
        }
    }

    let expected: Vec<_> =
        (0..25).filter(|n| ![3, 4, 5, 24].contains(n)).map(|number| format!("p{number:02}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_bad_limit_or_cursor_is_refused_by_name() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("cursor=!", "cursor"),
        ("state=removed", "state"),
        ("failing=maybe", "failing"),
        (&format!("name={}", "x".repeat(257)), "name"),
        ("color=red", "query"),
    ] {
        let answer = ana.get(&format!("/v1/deployments?{query}")).await;
        assert_eq!(answer.body["details"][0]["field"], field, "{query}: {}", answer.body);
        assert_eq!(answer.refused(400), "invalid_argument");
    }
}

#[tokio::test]
async fn each_deployment_has_its_last_run_in_one_read_of_the_page() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for number in 0..5 {
        ana.deploy(pipeline(&format!("works{number}")), "* * * * *").await.ok();
    }
    ana.deploy(broken("breaks"), "* * * * *").await.ok();
    ana.deploy(pipeline("never"), "manual").await.ok();
    world.advance(minutes(1)).await;

    world.faults.die(None);
    let page = ana.get("/v1/deployments").await.ok();
    let batches = world.faults.calls().iter().filter(|call| call.operation == "BatchGetItem").count();

    assert_eq!(batches, 1);
    let run = ana.runs("breaks").await[0].clone();
    let last = |index: usize| &page["items"][index]["lastRun"];
    assert_eq!(last(0), &json!({"id": run["id"], "state": "failed", "endedAt": run["endedAt"]}));
    assert_eq!(last(1), &Value::Null, "{page}");
    assert_eq!(last(6)["state"], "succeeded");
    assert_eq!(ana.get("/v1/deployments/breaks").await.ok()["lastRun"], *last(0));
}

#[tokio::test]
async fn a_list_takes_part_of_a_name_a_state_a_group_and_those_that_fail() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for name in ["Orders-a", "orders-b", "report"] {
        ana.deploy(pipeline(name), "* * * * *").await.ok();
    }
    ana.deploy(broken("orders-c"), "* * * * *").await.ok();
    ana.post("/v1/deployments/report/pause", json!({})).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!(names(&ana, "name=ORDERS").await, ["Orders-a", "orders-b", "orders-c"]);
    assert_eq!(names(&ana, "state=paused").await, ["report"]);
    assert_eq!(names(&ana, "failing=true").await, ["orders-c"]);
    assert_eq!(names(&ana, "failing=true&name=report").await, [] as [&str; 0]);
    assert_eq!(names(&ana, "group=night").await, [] as [&str; 0]);

    ana.patch("/v1/deployments/orders-c", json!({"pipeline": pipeline("orders-c")})).await.ok();
    world.advance(minutes(1)).await;
    assert_eq!(names(&ana, "failing=true").await, [] as [&str; 0], "its last run succeeded");
}

#[tokio::test]
async fn a_filtered_list_goes_on_after_the_last_that_it_gave() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for number in 0..7 {
        ana.deploy(pipeline(&format!("p{number}")), "manual").await.ok();
        ana.deploy(pipeline(&format!("q{number}")), "manual").await.ok();
    }

    let first = ana.get("/v1/deployments?name=q&limit=4").await.ok();
    let next = first["next"].as_str().unwrap();
    let second = ana.get(&format!("/v1/deployments?name=q&limit=4&cursor={next}")).await.ok();

    assert_eq!(first["items"][3]["project"], "q3");
    assert_eq!((&second["items"][0]["project"], second["items"].as_array().unwrap().len()), (&json!("q4"), 3));
    assert_eq!(second["next"], Value::Null);
}
