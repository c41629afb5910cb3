//! The sweep rings again for work that no worker holds although the table says that there is some.

use crate::given::{copied, copy, deaf, lines, lose_timers, queued, run};
use serde_json::json;
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_operations::bell::QueueKind;
use tidemill_operations::plane::{self, sweep::SweepReport};
use tidemill_protocols::functions::{self, On};
use tidemill_testing::{Death, TestPlane, minutes, pipeline, seconds};

async fn swept(world: &TestPlane) -> SweepReport {
    plane::sweep::run(&world.plane).await.unwrap()
}

#[tokio::test]
async fn a_plane_at_rest_has_nothing_to_repair() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    world.user("bob").await.deploy(pipeline("p"), "* * * * *").await.ok();
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    ana.deploy(pipeline("q"), "manual").await.ok();
    world.advance(minutes(5)).await;

    assert_eq!(swept(&world).await, SweepReport { deployments: 3, ..SweepReport::default() });
}

#[tokio::test]
async fn a_runs_lost_bell_is_rung_again_after_a_minute() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    let id = queued(&ana.at(&deaf(&world)), "p").await;

    world.advance(seconds(59)).await;
    assert_eq!(swept(&world).await.runs_rung, 0, "a bell may take its time");
    world.advance(seconds(1)).await;
    assert_eq!(run(&ana, &id).await["state"], "queued");
    assert_eq!(swept(&world).await.runs_rung, 1);
    world.settle().await;

    assert_eq!(run(&ana, &id).await["state"], "succeeded");
}

#[tokio::test]
async fn every_run_that_waits_is_rung_for_in_the_order_in_which_they_came() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = ana.deploy(crate::given::echo("p"), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    let caller = world.anonymous().at(&deaf(&world));
    for number in 0..3 {
        let headers = [("content-type", "text/plain")];
        caller.send(http::Method::POST, &hook, &headers, number.to_string().into_bytes()).await.ok();
        world.sleep(seconds(1));
    }

    world.sleep(minutes(1));
    assert_eq!(swept(&world).await.runs_rung, 3);
    world.advance(seconds(5)).await;

    let runs = ana.runs("p").await;
    assert!(runs.iter().all(|run| run["state"] == "succeeded"), "{runs:?}");
    let ended: Vec<_> = runs.iter().map(|run| run["endedAt"].as_str().unwrap()).collect();
    assert!(ended.is_sorted(), "{ended:?}");
}

#[tokio::test]
async fn a_webhook_that_a_later_run_overtook_is_not_forgotten() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = ana.deploy(crate::given::echo("p"), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    let lost = world.anonymous().at(&deaf(&world)).post(&hook, serde_json::json!({})).await.ok();
    world.advance(seconds(1)).await;
    queued(&ana, "p").await;
    world.advance(minutes(1)).await;
    assert_eq!(run(&ana, lost["id"].as_str().unwrap()).await["state"], "queued");

    world.sweep().await;
    world.settle().await;

    let states: Vec<_> = ana.runs("p").await.iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["succeeded", "succeeded"]);
}

#[tokio::test]
async fn webhooks_that_have_run_cost_later_sweeps_nothing() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = ana.deploy(crate::given::echo("p"), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    world.anonymous().post(&hook, serde_json::json!({})).await.ok();
    world.settle().await;
    world.sweep().await;

    world.faults.die(None);
    world.sweep().await;

    let calls = world.faults.calls();
    // Where to begin, owners, the number of tasks, groups, deployments, and the run that went last.
    assert!(calls.len() <= 6 && calls.iter().all(|call| call.write_units == 0.0), "{calls:?}");
}

#[tokio::test]
async fn a_ticks_lost_bell_is_rung_again_after_a_minute_and_a_half() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "1 * * * *").await.ok();

    // The bell of 10:01:00 never rang.
    world.sleep(seconds(30 + 89));
    assert_eq!(swept(&world).await.ticks_rung, 0, "Scheduler may fire 59 s late");
    world.sleep(seconds(1));
    assert_eq!(swept(&world).await.ticks_rung, 1);
    while world.answer(QueueKind::Ticks).await || world.answer(QueueKind::Runs).await {}

    assert_eq!(ana.ticks("p").await, ["ran"]);
    assert_eq!(ana.runs("p").await[0]["tick"], "2026-03-02T10:01:00Z");
}

#[tokio::test]
async fn a_timer_that_is_gone_is_set_again_and_no_tick_is_lost() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    lose_timers(&world).await;
    world.advance(minutes(1)).await;
    assert!(ana.ticks("p").await.is_empty());

    assert_eq!(swept(&world).await.timers_set, 1);
    world.advance(minutes(2)).await;

    assert_eq!(ana.ticks("p").await, ["ran", "ran", "ran"]);
    assert_eq!(swept(&world).await, SweepReport { deployments: 1, ..SweepReport::default() });
}

#[tokio::test]
async fn a_timer_of_no_deployment_is_taken_away() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    let (owner, project) = (OwnerId::parse("ana").unwrap(), ProjectId::parse("p").unwrap());
    let mut never_deployed = world.plane.store.deployment(&owner, &project.into()).await.unwrap().unwrap();
    never_deployed.id = ProjectId::parse("q").unwrap().into();
    world.plane.timers.follow(&never_deployed).await.unwrap();

    assert_eq!(swept(&world).await.timers_set, 1);

    let left = world.plane.timers.all().await.unwrap();
    assert_eq!(left.into_keys().collect::<Vec<_>>(), ["ana#* * * * * UTC#p"]);
    assert_eq!(swept(&world).await.timers_set, 0);
}

#[tokio::test]
async fn a_dead_workers_run_is_taken_over_when_its_lease_has_run_out_and_goes_on_where_it_stood() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let written = lines(&world, 200);
    ana.deploy(copy("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;
    world.faults.die(Some(Death::After(8)));
    world.answer(QueueKind::Runs).await;
    assert!(world.faults.is_dead());
    world.faults.die(None);

    // Its lease is of 30 s.
    world.advance(seconds(29)).await;
    assert_eq!(swept(&world).await.runs_rung, 0);
    assert_eq!(run(&ana, &id).await["state"], "running");
    world.advance(seconds(2)).await;
    assert_eq!(swept(&world).await.runs_rung, 1);
    world.settle().await;

    assert_eq!(run(&ana, &id).await["state"], "succeeded");
    assert_eq!(copied(&world), written);
}

#[tokio::test]
async fn paused_and_removed_deployments_are_left_alone() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for project in ["p", "q"] {
        ana.deploy(pipeline(project), "* * * * *").await.ok();
    }
    ana.post("/v1/deployments/p/pause", serde_json::json!({})).await.ok();
    ana.delete("/v1/deployments/q").await.ok();
    world.sleep(minutes(10));

    let swept = swept(&world).await;

    assert_eq!(SweepReport { deployments: 0, ..swept }, SweepReport::default());
}

#[tokio::test]
async fn a_record_that_cannot_be_read_stops_the_sweep_of_nothing_else() {
    for (partition, sort) in [("O#ana", "task#0"), ("O#ana", "deployment#0"), ("O#ana", "group#0"), ("OWNERS", "0")] {
        let world = TestPlane::new().await;
        let ana = world.user("ana").await;
        let bob = world.user("bob").await;
        for (user, project) in [(&ana, "p"), (&ana, "q"), (&bob, "p")] {
            user.deploy(pipeline(project), "* * * * *").await.ok();
        }
        for user in [&ana, &bob] {
            user.post("/v1/tasks", json!({"pipeline": crate::given::echo("t")})).await.ok();
        }
        world.sleep(minutes(15));
        world.spoil(partition, sort);

        let swept = swept(&world).await;

        assert_eq!((swept.deployments, swept.ticks_rung), (3, 3), "{sort}");
        assert_eq!((swept.tasks_ended, swept.failed, swept.timers_set), (2, 1, 0), "{sort}");
        // Tasks are read while any is open.
        ana.post("/v1/tasks", json!({"pipeline": crate::given::echo("u")})).await.ok();
        let Some(On::Minute(sweep)) = functions::named("plane_sweep").map(|function| &function.on) else {
            panic!("the sweep is in the table")
        };
        let failed = sweep(&world.plane).await.unwrap_err();
        assert!(failed.message.contains("1 record"), "{failed}");
    }
}

#[tokio::test]
async fn timers_of_an_unreadable_owner_are_left_alone() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    // The place and the owners are read, and nothing of them.
    world.faults.die(Some(Death::Before(2)));

    let swept = swept(&world).await;

    assert_eq!((swept.failed, swept.timers_set), (3, 0));
    assert_eq!(world.plane.timers.all().await.unwrap().len(), 1);
}
