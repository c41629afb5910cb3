//! The live pointer of an environment: it moves in one write, also when others move it and whenever the process dies.

use crate::given::environments::{ana, named, of_staging, runs, scheduled, staging, tick_bell, ticks, timer, versions};
use crate::given::environments::{at, deployed, once, with_versions};
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;
use tidemill_model::deployment::Status;
use tidemill_model::ids::{EnvironmentName, OwnerId, ProjectId};
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{Death, TestPlane, User, minutes, pipeline, seconds};

/// No deployment takes more calls than this.
const CALLS: usize = 40;

#[tokio::test]
async fn a_deployment_says_what_was_live_before() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;

    let first = deployed(&ana, "staging", 1).await;
    let second = deployed(&ana, "staging", 2).await;

    assert_eq!((&first["version"], &first["fromVersion"]), (&json!(1), &Value::Null));
    assert_eq!((&second["version"], &second["fromVersion"]), (&json!(2), &json!(1)));
    assert_eq!((&second["revision"], &second["state"]), (&json!(2), &json!("enabled")));
}

#[tokio::test]
async fn a_version_that_is_not_there_leaves_everything_as_it_was() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 1).await;

    let missing = json!({"version": 2});
    assert_eq!(ana.put(&at("staging"), missing.clone()).await.refused(404), "not_found");
    assert_eq!(ana.get(&at("staging")).await.refused(404), "not_found");
    deployed(&ana, "staging", 1).await;
    assert_eq!(ana.put(&at("staging"), missing).await.refused(404), "not_found");

    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 1);
    for body in [json!({}), json!({"version": "1"}), json!({"version": -1}), json!({"version": 1, "other": 1})] {
        assert_eq!(ana.put(&at("staging"), body.clone()).await.refused(400), "invalid_argument", "{body}");
    }
}

#[tokio::test]
async fn a_deployment_that_expects_another_revision_is_refused() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;
    let at_revision = async |version: u32, revision: u64| {
        ana.put(&at("staging"), json!({"version": version, "revision": revision})).await
    };

    assert_eq!(at_revision(1, 1).await.refused(409), "conflict");
    at_revision(1, 0).await.ok();
    assert_eq!(at_revision(2, 0).await.refused(409), "conflict");
    at_revision(2, 1).await.ok();

    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 2);
}

#[tokio::test]
async fn a_retried_deployment_is_answered_as_the_first_and_moves_nothing() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;
    let send = async || once(&ana, http::Method::PUT, &at("staging"), json!({"version": 1})).await.ok();

    let first = send().await;
    deployed(&ana, "staging", 2).await;

    assert_eq!(send().await, first);
    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 2);
}

#[tokio::test]
async fn versions_that_are_added_at_once_are_numbered_without_gaps_and_none_is_live() {
    let (_world, ana, mut dap) = ana().await;

    let add = |number: usize| json!({"subcommand": "add", "pipeline": named(&format!("v{number}"))});
    let works: Vec<_> = (0..20).map(|number| dap.send("rrext_deploy", add(number))).collect();
    join_all(works).await;

    let numbers = (0..20).map(|_| dap.reply().ok()["artifact"]["version"].as_u64().unwrap());
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    assert_eq!(ana.get("/v1/deployments/p").await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/deployments").await.ok()["items"], json!([]));
    assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]));
}

#[tokio::test]
async fn versions_that_are_added_and_deployed_at_once_are_each_stored() {
    let (_world, ana, mut dap) = ana().await;

    let add =
        |number: usize| json!({"subcommand": "add", "pipeline": named(&format!("v{number}")), "deployTo": "staging"});
    let works: Vec<_> = (0..20).map(|number| dap.send("rrext_deploy", add(number))).collect();
    join_all(works).await;

    let mut answered: Vec<_> = (0..20).map(|_| dap.reply().ok()["artifact"].clone()).collect();
    answered.sort_by_key(|artifact| artifact["version"].as_u64());
    let stored = dap.ask("rrext_deploy", json!({"subcommand": "versions", "projectId": "p"})).await.ok();
    let mut stored = stored["rows"].as_array().unwrap().clone();
    stored.reverse();
    let summary = |artifact: &Value| json!([artifact["version"], artifact["pipelineName"], artifact["sha256"]]);
    assert_eq!(stored.iter().map(summary).collect::<Vec<_>>(), answered.iter().map(summary).collect::<Vec<_>>());
    assert_eq!(of_staging(&mut dap, "get", json!({})).await.ok()["version"], 20);
    assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]));
}

#[tokio::test]
async fn a_project_that_is_live_stays_as_it_is_when_a_version_is_added() {
    let (_world, ana, mut dap) = ana().await;
    let before = ana.deploy(pipeline("p"), "@daily").await.ok();

    let added = dap.ask("rrext_deploy", json!({"subcommand": "add", "pipeline": named("two")})).await.ok();

    assert_eq!(added["artifact"]["version"], 2);
    let after = ana.get("/v1/deployments/p").await.ok();
    for field in ["version", "state", "schedule", "next", "hook", "updatedAt"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(ana.post("/v1/deployments/p/runs", json!({})).await.ok()["version"], 1);
}

#[tokio::test]
async fn of_many_moves_at_once_none_is_lost_and_the_slot_agrees_with_the_pointer() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;
    versions(&mut dap, 8).await;
    world.sleep(seconds(1));

    let mut asked: Vec<_> = (1..=10).map(|version| staging("deploy", json!({"version": version}))).collect();
    asked.push(staging("schedule_set", json!({"sourceId": "timer_1", "schedule": "@hourly"})));
    asked.push(staging("disable", json!({})));
    let works: Vec<_> = asked.into_iter().map(|asked| dap.send("rrext_deploy_pipe", asked)).collect();
    join_all(works).await;

    for _ in 0..12 {
        dap.reply().ok();
    }
    let live = of_staging(&mut dap, "get", json!({})).await.ok();
    assert_eq!((&live["state"], &live["schedules"]["timer_1"]["cron"]), (&json!("disabled"), &json!("@hourly")));
    let history = dap.ask("rrext_deploy", json!({"subcommand": "history", "projectId": "p", "teamId": "staging"}));
    let history = history.await.ok();
    let moves: Vec<_> = history["rows"].as_array().unwrap().iter().filter(|row| is_move(row)).collect();
    assert_eq!(moves.len(), 11);
    let head = world.plane.store.deployment(&OwnerId::parse("ana").unwrap(), &timer()).await.unwrap().unwrap();
    assert_eq!(json!(head.version), live["version"]);
    assert_eq!((head.schedule.as_str(), head.state.status()), ("@hourly", Status::Paused));
    assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]));
}

#[tokio::test]
async fn of_many_changes_at_once_each_builds_upon_the_one_before() {
    let (world, _, mut dap) = ana().await;
    versions(&mut dap, 10).await;

    let deploys = (1..=10).map(|version| staging("deploy", json!({"version": version})));
    let config = staging("source_config", json!({"sourceId": "timer_1", "debugOut": true}));
    dap.ask("rrext_deploy_pipe", staging("deploy", json!({"version": 10}))).await.ok();
    world.sleep(seconds(1));
    let works: Vec<_> = deploys.chain([config]).map(|asked| dap.send("rrext_deploy_pipe", asked)).collect();
    join_all(works).await;

    for _ in 0..11 {
        dap.reply().ok();
    }
    let (owner, name) = (OwnerId::parse("ana").unwrap(), EnvironmentName::parse("staging").unwrap());
    let project = ProjectId::parse("p").unwrap();
    let environment = world.plane.store.environment(&owner, &project, &name).await.unwrap().unwrap();
    assert_eq!(environment.revision, 12);
    assert!(environment.source("timer_1").debug, "no deployment has written over it");
}

#[tokio::test]
async fn a_move_that_was_overtaken_is_later_than_the_one_that_overtook_it() {
    let (world, _ana, mut dap) = ana().await;
    versions(&mut dap, 3).await;
    of_staging(&mut dap, "deploy", json!({"version": 1})).await.ok();
    world.sleep(seconds(1));

    let hold = world.faults.hold("TransactWriteItems", 0);
    let slow = dap.send("rrext_deploy_pipe", staging("deploy", json!({"version": 3})));
    let overtakes = async {
        hold.arrived().await;
        world.sleep(seconds(5));
        dap.send("rrext_deploy_pipe", staging("deploy", json!({"version": 2}))).await;
        hold.release();
    };
    futures::join!(slow, overtakes);

    let (_, last) = (dap.reply().ok(), dap.reply().ok());
    assert_eq!(last["version"], 3);
    assert_eq!(of_staging(&mut dap, "get", json!({})).await.ok(), last);
    let history = dap.ask("rrext_deploy", json!({"subcommand": "history", "projectId": "p", "teamId": "staging"}));
    let history = history.await.ok();
    let moves = history["rows"].as_array().unwrap().iter().filter(|row| is_move(row));
    let moves: Vec<_> = moves.map(|row| json!([row["version"], row["at"]])).collect();
    let at = |version: u64| moves.iter().find(|row| row[0] == version).unwrap()[1].as_f64().unwrap();
    assert_eq!(moves.iter().map(|row| &row[0]).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(last["deployedAt"], at(3));
    assert!(at(3) >= at(2));
}

fn is_move(row: &Value) -> bool {
    ["deploy", "rollback"].iter().any(|action| row["action"] == *action)
}

#[tokio::test]
async fn a_tick_that_has_just_become_due_as_a_move_comes_runs_what_was_live_then() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;
    world.sleep(minutes(1));

    of_staging(&mut dap, "deploy", json!({"version": 2})).await.ok();
    world.settle().await;
    world.advance(minutes(1)).await;

    assert_eq!(ticks(&world, &ana).await, ["ran", "ran"]);
    let of = |version: u32| json!(["schedule", version, "succeeded", "staging", "timer_1"]);
    assert_eq!(runs(&ana).await, [of(1), of(2)]);
}

#[tokio::test]
async fn a_run_keeps_the_version_that_it_was_made_with() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;
    world.sleep(minutes(1));
    world.plane.queue.ring(tick_bell(), Duration::ZERO).await.unwrap();
    assert!(world.answer(QueueKind::Ticks).await);

    of_staging(&mut dap, "deploy", json!({"version": 2})).await.ok();
    assert_eq!(runs(&ana).await, [json!(["schedule", 1, "queued", "staging", "timer_1"])]);
    world.settle().await;

    assert_eq!(runs(&ana).await, [json!(["schedule", 1, "succeeded", "staging", "timer_1"])]);
}

#[tokio::test]
async fn a_source_that_a_version_lacks_rests_until_one_has_it_again() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;
    let mut without = crate::given::echo("p");
    without["name"] = "without".into();
    dap.ask("rrext_deploy", json!({"subcommand": "add", "pipeline": without})).await.ok();

    of_staging(&mut dap, "deploy", json!({"version": 3})).await.ok();
    world.advance(minutes(2)).await;
    assert_eq!(ticks(&world, &ana).await, Vec::<String>::new());
    of_staging(&mut dap, "deploy", json!({"version": 1})).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!(ticks(&world, &ana).await, ["ran"]);
}

#[tokio::test]
async fn a_version_whose_scheduled_source_cannot_start_is_refused_and_the_live_one_stays() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;
    let mut other = crate::given::chain("p", &[("webhook", json!({}), "text"), ("template", json!({}), "text")]);
    other["name"] = "other".into();
    other["components"][1]["id"] = "timer_1".into();
    other["components"][1]["config"] = json!({"template": "x"});
    let deploying = json!({"subcommand": "add", "pipeline": other, "deployTo": "staging"});

    let refused = dap.ask("rrext_deploy", deploying).await.refused();

    assert!(refused.contains("timer_1") && refused.contains("not a source"), "{refused}");
    assert_eq!(of_staging(&mut dap, "get", json!({})).await.ok()["version"], 1);
    let versions = dap.ask("rrext_deploy", json!({"subcommand": "versions", "projectId": "p"})).await.ok();
    assert_eq!(versions["total"], 2, "what could not be deployed was not registered");
    world.advance(minutes(1)).await;
    assert_eq!(ticks(&world, &ana).await, ["ran"]);
}

/// What a user sees in the end, without what differs from run to run.
async fn seen(world: &TestPlane, user: &User) -> Value {
    let mut dap = world.socket(user).await;
    let live = of_staging(&mut dap, "get", json!({})).await.ok();
    let versions = dap.ask("rrext_deploy", json!({"subcommand": "versions", "projectId": "p"})).await.ok();
    json!([live["version"], live["state"], versions["total"], ticks(world, user).await, runs(user).await])
}

#[tokio::test]
async fn a_move_that_is_repeated_after_a_death_at_any_call_is_made_once() {
    let mut expected = None;
    for call in 0..CALLS {
        for death in [Death::Before(call), Death::After(call)] {
            let (world, ana, mut dap) = ana().await;
            scheduled(&mut dap, "* * * * *").await;
            world.sleep(seconds(40));

            world.faults.die(Some(death));
            dap.ask("rrext_deploy_pipe", staging("deploy", json!({"version": 2}))).await;
            let died = world.faults.is_dead();
            let world = world.restarted().await;
            world.faults.die(None);
            let ana = ana.at(&world.plane);
            let mut dap = world.socket(&ana).await;
            of_staging(&mut dap, "deploy", json!({"version": 2})).await.ok();
            world.advance(minutes(2)).await;

            let found = seen(&world, &ana).await;
            let healthy = ana.post("/v1/doctor", Value::Null).await.ok();
            assert_eq!(healthy["findings"], json!([]), "{death:?}");
            // A plane that died before the move ran the due minute; one that died after it had settled it.
            assert_eq!((&found[0], &found[1], &found[2]), (&json!(2), &json!("enabled"), &json!(2)), "{death:?}");
            let (ledger, made) = (found[3].as_array().unwrap(), found[4].as_array().unwrap());
            assert_eq!(ledger.len(), 3, "{death:?}: {ledger:?}");
            let ran = ledger.iter().filter(|word| **word == "ran").count();
            assert_eq!(ran, made.len(), "{death:?}: a tick that ran made one run");
            assert!(made[made.len() - 2..].iter().all(|run| run[1] == 2), "{death:?}: {made:?}");
            expected = Some(found);
            if !died {
                return;
            }
        }
    }
    panic!("the move makes more than {CALLS} calls, the last left {expected:?}");
}

#[tokio::test]
async fn a_version_that_is_deployed_as_it_is_added_is_there_with_its_deployment_or_not_at_all() {
    for call in 0..CALLS {
        for death in [Death::Before(call), Death::After(call)] {
            let (world, ana, mut dap) = ana().await;

            world.faults.die(Some(death));
            let adding = json!({"subcommand": "add", "pipeline": named("v1"), "deployTo": "staging"});
            dap.ask("rrext_deploy", adding).await;
            let died = world.faults.is_dead();
            world.faults.die(None);

            let mut dap = world.socket(&ana).await;
            let versions = dap.ask("rrext_deploy", json!({"subcommand": "versions", "projectId": "p"})).await.ok();
            let is_live = of_staging(&mut dap, "get", json!({})).await.0["success"] == true;
            assert_eq!(versions["total"], json!(u32::from(is_live)), "{death:?}");
            assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]), "{death:?}");
            if !died {
                assert!(is_live);
                return;
            }
        }
    }
    panic!("an add makes more than {CALLS} calls");
}
