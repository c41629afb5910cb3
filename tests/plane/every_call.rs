//! The process dies before and after every single call of the table. What the caller repeats, or the next process finds
//! in the table, leads to the state that there would be without the death.

use serde_json::{Value, json};
use tidemill_testing::{Death, TestPlane, User, minutes, pipeline, seconds};

/// No operation takes more calls than this; one that would is a test that never ends.
const CALLS: usize = 60;

/// What a user can see of a project, without what differs from run to run: ids, instants, revisions.
async fn seen(user: &User) -> Value {
    let shown = user.get("/v1/deployments/p").await.body;
    let versions = user.get("/v1/deployments/p/versions").await.body;
    let hashes: Vec<Value> = versions["items"].as_array().into_iter().flatten().map(|v| v["sha256"].clone()).collect();
    let runs = user.get("/v1/runs?project=p").await.body;
    let runs: Vec<Value> = runs["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|run| json!([run["state"], run["trigger"], run["tick"], run["version"]]))
        .collect();
    let ticks = match shown["state"].is_string() {
        true => json!(user.ticks("p").await),
        false => Value::Null,
    };
    json!({
        "state": shown["state"], "schedule": shown["schedule"], "version": shown["version"],
        "pipeline": shown["pipeline"], "code": shown["code"], "versions": hashes, "runs": runs, "ticks": ticks,
    })
}

/// Runs a scene once without a death and then once for every call that it makes, dying before it and after it, and
/// compares what a user sees in the end.
async fn survives_every_death<F, G>(given: impl Fn(TestPlane) -> F, act: impl Fn(User, TestPlane) -> G)
where
    F: Future<Output = (TestPlane, User)>,
    G: Future<Output = TestPlane>,
{
    let (world, user) = given(TestPlane::new().await).await;
    let world = act(user.clone(), world).await;
    let (expected, _) = ended(world, &user).await;

    let mut deaths = 0;
    for call in 0..CALLS {
        for death in [Death::Before(call), Death::After(call)] {
            let (world, user) = given(TestPlane::new().await).await;
            world.faults.die(Some(death));
            let world = act(user.clone(), world).await;
            if !world.faults.is_dead() {
                assert!(deaths > 0, "the scene makes no call");
                return;
            }
            deaths += 1;
            let world = world.restarted().await;
            // The caller got no answer, or the bell was lost with its process: both come again.
            let user = user.at(&world.plane);
            let world = act(user.clone(), world).await;
            let (found, world) = ended(world, &user).await;
            assert_eq!(found, expected, "{death:?}");
            let health = user.at(&world.plane).post("/v1/doctor", Value::Null).await.ok();
            assert_eq!(health["findings"], json!([]), "{death:?}");
        }
    }
    panic!("the scene makes more than {CALLS} calls");
}

/// Lets everything come to rest, also what waits for a lease of the dead process.
async fn ended(world: TestPlane, user: &User) -> (Value, TestPlane) {
    world.faults.die(None);
    world.advance(seconds(5)).await;
    let found = seen(&user.at(&world.plane)).await;
    (found, world)
}

async fn with_user(world: TestPlane) -> (TestPlane, User) {
    let ana = world.user("ana").await;
    (world, ana)
}

async fn deployed(world: TestPlane) -> (TestPlane, User) {
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    (world, ana)
}

#[tokio::test]
async fn an_add_that_is_repeated_is_there_once() {
    survives_every_death(with_user, |user, world| async move {
        let body = json!({"pipeline": pipeline("p"), "schedule": "@hourly"}).to_string().into_bytes();
        let headers = [("content-type", "application/json"), ("idempotency-key", "add-1")];
        user.send(http::Method::POST, "/v1/deployments", &headers, body).await;
        world
    })
    .await;
}

#[tokio::test]
async fn an_update_that_is_repeated_makes_one_version() {
    survives_every_death(deployed, |user, world| async move {
        let mut changed = pipeline("p");
        changed["name"] = "changed".into();
        let body = json!({"pipeline": changed, "schedule": "@daily"}).to_string().into_bytes();
        let headers = [("content-type", "application/json"), ("idempotency-key", "update-1")];
        user.send(http::Method::PATCH, "/v1/deployments/p", &headers, body).await;
        world
    })
    .await;
}

#[tokio::test]
async fn a_remove_that_is_repeated_removes() {
    survives_every_death(deployed, |user, world| async move {
        user.delete("/v1/deployments/p").await;
        world
    })
    .await;
}

#[tokio::test]
async fn a_tick_whose_run_is_executed_with_it_happens_once() {
    survives_every_death(
        |world| async move {
            let (world, user) = deployed(world).await;
            world.advance(minutes(1)).await;
            world.sleep(minutes(1));
            (world, user)
        },
        |_, world| async move {
            world.settle().await;
            world
        },
    )
    .await;
}

#[tokio::test]
async fn a_tick_and_its_run_happen_once() {
    // The tick rings, its run is made, claimed, executed and ended: all within one death's reach.
    survives_every_death(
        |world| async move {
            let (world, user) = deployed(world).await;
            world.sleep(seconds(30));
            (world, user)
        },
        |_, world| async move {
            world.settle().await;
            world
        },
    )
    .await;
}

#[tokio::test]
async fn a_run_by_hand_that_is_repeated_happens_once() {
    survives_every_death(
        |world| async move {
            let user = world.user("ana").await;
            user.deploy(pipeline("p"), "manual").await.ok();
            (world, user)
        },
        |user, world| async move {
            let headers = [("content-type", "application/json"), ("idempotency-key", "run-1")];
            user.send(http::Method::POST, "/v1/deployments/p/runs", &headers, b"{}".to_vec()).await;
            world.settle().await;
            world
        },
    )
    .await;
}

#[tokio::test]
async fn a_pause_and_a_resume_lose_no_tick() {
    survives_every_death(deployed, |user, world| async move {
        user.post("/v1/deployments/p/pause", json!({})).await;
        user.post("/v1/deployments/p/resume", Value::Null).await;
        world
    })
    .await;
}

#[tokio::test]
async fn the_processes_after_many_deaths_in_a_row_still_end_the_run_once() {
    let (mut world, user) = deployed(TestPlane::new().await).await;
    world.sleep(minutes(1));
    for call in 0..12 {
        world.faults.die(Some(Death::After(call)));
        world.settle().await;
        world = world.restarted().await;
    }
    let (found, _) = ended(world, &user).await;
    assert_eq!(found["runs"], json!([["succeeded", "schedule", "2026-03-02T10:01:00Z", 1]]));
    assert_eq!(found["ticks"], json!(["ran"]));
}
