//! Running a source of an environment by hand: a task, and never beside another run of that source.

use crate::given::environments::{
    ana, at, deployed, of_staging, runs, scheduled, staging, tick_bell, ticks, with_versions,
};
use crate::given::{chain, echo};
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{Dap, Death, TestPlane, minutes};

const ACTIVE: &str = "A run of p/webhook_1 is already active for team staging";

/// Version 1 of project `p`, whose webhook waits for objects, is live in `staging`.
async fn waiting(dap: &mut Dap) {
    let mut echo = echo("p");
    echo["name"] = "echo".into();
    dap.ask("rrext_deploy", json!({"subcommand": "add", "pipeline": echo, "deployTo": "staging"})).await.ok();
}

async fn run(dap: &mut Dap) -> tidemill_testing::Reply {
    of_staging(dap, "run", json!({"sourceId": "webhook_1"})).await
}

#[tokio::test]
async fn a_source_is_run_over_http_and_not_twice_at_once() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;
    deployed(&ana, "staging", 2).await;
    let run = async |source: &str| ana.post(&format!("{}/run", at("staging")), json!({"source": source})).await;

    let started = run("timer_1").await;
    assert_eq!(started.status, 201);
    let started = started.ok();
    assert_eq!((&started["version"], &started["source"]), (&json!(2), &json!("timer_1")));
    assert_eq!(run("timer_1").await.refused(409), "already_exists");
    assert_eq!(run("timer_2").await.refused(404), "not_found");
    world.settle().await;

    let shown = ana.get(&format!("/v1/runs/{}", started["run"].as_str().unwrap())).await.ok();
    assert_eq!((&shown["state"], &shown["environment"]), (&json!("succeeded"), &json!("staging")));
    run("timer_1").await.ok();
}

#[tokio::test]
async fn of_many_runs_at_once_one_is_started() {
    let (_world, ana, mut dap) = ana().await;
    waiting(&mut dap).await;

    let asked = staging("run", json!({"sourceId": "webhook_1"}));
    let works: Vec<_> = (0..10).map(|_| dap.send("rrext_deploy_pipe", asked.clone())).collect();
    join_all(works).await;

    let replies: Vec<_> = (0..10).map(|_| dap.reply()).collect();
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.0["success"] == true);
    assert_eq!(won.len(), 1);
    assert_eq!(won[0].0["body"]["version"], 1);
    lost.into_iter().for_each(|reply| assert_eq!(reply.refused(), ACTIVE));
    assert_eq!(runs(&ana).await, [json!(["task", 1, "running", "staging", "webhook_1"])]);
}

#[tokio::test]
async fn a_team_names_its_own_run_and_not_the_callers_task() {
    let (_world, _ana, mut dap) = ana().await;
    waiting(&mut dap).await;
    let own = dap.ask("execute", json!({"pipeline": echo("p")})).await.ok();
    let run = run(&mut dap).await.ok();

    let asked = |more: Value| of_source(&more);
    let of_no_team = dap.ask("rrext_get_token", asked(json!({}))).await.ok();
    let of_team = dap.ask("rrext_get_token", asked(json!({"teamId": "staging"}))).await.ok();
    let restarting = json!({"teamId": "staging", "token": null});
    let restarted = dap.ask("restart", asked(restarting)).await.ok();

    assert_eq!((&of_no_team["token"], &of_team["token"]), (&own["token"], &run["token"]));
    assert_eq!(restarted["token"], run["token"]);
    for team in ["production", "@me"] {
        dap.ask("rrext_get_token", asked(json!({"teamId": team}))).await.refused();
        dap.ask("restart", asked(json!({"teamId": team}))).await.refused();
    }
}

fn of_source(more: &Value) -> Value {
    let mut asked = json!({"projectId": "p", "source": "webhook_1"});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    asked
}

#[tokio::test]
async fn a_run_of_a_version_is_restarted_only_with_the_pipeline_of_that_version() {
    let (_world, ana, mut dap) = ana().await;
    waiting(&mut dap).await;
    let run = run(&mut dap).await.ok();
    let path = format!("/v1/tasks/{}", run["token"].as_str().unwrap());
    let template = ("template", json!({"template": "new {{ value }}"}), "text");
    let other = chain("p", &[("webhook", json!({}), "text"), template, ("response", json!({"lanes": []}), "")]);

    let of_team = |pipeline: &Value| of_source(&json!({"teamId": "staging", "pipeline": pipeline}));
    let refused = dap.ask("restart", of_team(&other)).await.refused();
    let by_token = json!({"token": run["token"], "pipeline": other});
    let refused_by_token = dap.ask("restart", by_token).await.refused();
    let published = dap.ask("rrext_deploy", json!({"subcommand": "artifact", "projectId": "p", "version": 1}));
    let published = published.await.ok();
    let before = ana.get(&path).await.ok()["restarts"].clone();
    dap.ask("restart", of_team(&published)).await.ok();

    assert!(refused.contains("version 1 of `p` in `staging`") && refused.contains("deploy that"), "{refused}");
    assert_eq!(refused, refused_by_token);
    assert_eq!((before, ana.get(&path).await.ok()["restarts"].clone()), (json!(0), json!(1)));
    let kept = dap.ask("rrext_get_pipeline", json!({"token": run["token"]})).await.ok();
    assert_eq!(kept["pipeline"]["name"], "echo");
}

#[tokio::test]
async fn a_tick_is_skipped_while_a_run_by_hand_is_open_and_runs_after_it() {
    let (world, ana, mut dap) = ana().await;
    waiting(&mut dap).await;
    let set = json!({"sourceId": "webhook_1", "schedule": "* * * * *", "ttl": 90});
    of_staging(&mut dap, "schedule_set", set).await.ok();
    run(&mut dap).await.ok();

    world.advance(minutes(1)).await;
    world.sweep().await;
    assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]));
    world.advance(minutes(1)).await;
    world.sweep().await;
    world.advance(minutes(1)).await;

    let made = runs(&ana).await;
    assert_eq!(made[0], json!(["task", 1, "succeeded", "staging", "webhook_1"]), "idle for its ttl");
    assert_eq!(made[1], json!(["schedule", 1, "succeeded", "staging", "webhook_1"]));
    assert_eq!(made.len(), 2);
}

#[tokio::test]
async fn a_run_by_hand_is_refused_while_a_scheduled_one_is_going() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;
    world.sleep(minutes(1));
    world.plane.queue.ring(tick_bell(), Duration::ZERO).await.unwrap();
    assert!(world.answer(QueueKind::Ticks).await);

    let refused = of_staging(&mut dap, "run", json!({"sourceId": "timer_1"})).await.refused();
    world.settle().await;
    of_staging(&mut dap, "run", json!({"sourceId": "timer_1"})).await.ok();
    world.settle().await;

    assert_eq!(refused, "A run of p/timer_1 is already active for team staging");
    assert_eq!(ticks(&world, &ana).await, ["ran"]);
    let triggers: Vec<_> = runs(&ana).await.into_iter().map(|run| [run[0].clone(), run[2].clone()]).collect();
    assert_eq!(triggers, [["schedule", "succeeded"], ["task", "succeeded"]]);
}

#[tokio::test]
async fn nothing_is_started_where_nothing_runs() {
    let (_world, ana, mut dap) = ana().await;
    assert_eq!(run(&mut dap).await.refused(), "No deployment of p for team staging");
    waiting(&mut dap).await;
    let missing = of_staging(&mut dap, "run", json!({"sourceId": "x"})).await.refused();
    of_staging(&mut dap, "disable", json!({})).await.ok();
    let disabled = run(&mut dap).await.refused();
    of_staging(&mut dap, "remove", json!({})).await.ok();

    assert!(missing.contains("not a component"), "{missing}");
    assert!(disabled.contains("is disabled"), "{disabled}");
    assert_eq!(run(&mut dap).await.refused(), "No deployment of p for team staging");
    assert_eq!(runs(&ana).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_disable_that_meets_a_run_is_not_passed_by_it() {
    let mut met = 0;
    for _ in 0..40 {
        let (world, ana, mut dap) = ana().await;
        waiting(&mut dap).await;
        world.faults.die(None);

        let starts = dap.send("rrext_deploy_pipe", staging("run", json!({"sourceId": "webhook_1"})));
        let disables = dap.send("rrext_deploy_pipe", staging("disable", json!({})));
        futures::join!(starts, disables);

        let writes = world.faults.calls().into_iter().filter(|call| call.operation == "TransactWriteItems");
        let writes: Vec<_> = writes.map(|call| call.request.to_string().contains("environment_run")).collect();
        if writes == [false, true] {
            // The run was made ready while the environment was enabled, and was to be written when it no longer was.
            met += 1;
            assert_eq!(runs(&ana).await, Vec::<Value>::new());
            let mut refused = [dap.reply().0, dap.reply().0].into_iter().filter(|reply| reply["success"] == false);
            let refused = refused.next().expect("the run was refused");
            assert!(refused["message"].as_str().unwrap().contains("modified concurrently"), "{refused}");
        }
    }
    assert!(met > 0, "the two never met");
}

#[tokio::test]
async fn a_death_at_any_call_of_a_run_leaves_none_or_one() {
    for call in 0..40 {
        for death in [Death::Before(call), Death::After(call)] {
            let (world, ana, mut dap) = ana().await;
            waiting(&mut dap).await;

            world.faults.die(Some(death));
            run(&mut dap).await;
            let died = world.faults.is_dead();
            let world = world.restarted().await;
            world.faults.die(None);
            let ana = ana.at(&world.plane);
            let before = runs(&ana).await.len();
            let again = run(&mut world.socket(&ana).await).await;

            match before {
                0 => drop(again.ok()),
                _ => assert_eq!(again.refused(), ACTIVE, "{death:?}"),
            }
            assert_eq!(runs(&ana).await.len(), 1, "{death:?}");
            assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]), "{death:?}");
            if !died {
                return;
            }
        }
    }
    panic!("a run makes more than 40 calls");
}
