//! Schedules of environments: run by the ticks, the ledger and the sweep that deployments have, and shown by nothing else.

use crate::given::environments::{ana, named, of_staging, runs, scheduled, tick_bell, ticks, timer, versions};
use serde_json::{Value, json};
use std::time::Duration;
use tidemill_testing::{TestPlane, minutes, pipeline};

#[tokio::test]
async fn every_due_minute_runs_once_however_often_it_rings() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;

    for _ in 0..5 {
        world.sleep(minutes(1));
        for _ in 0..3 {
            world.plane.queue.ring(tick_bell(), Duration::ZERO).await.unwrap();
            world.sweep().await;
        }
        world.settle().await;
    }

    assert_eq!(ticks(&world, &ana).await, ["ran"; 5]);
    assert_eq!(runs(&ana).await.len(), 5);
    let live = of_staging(&mut dap, "get", json!({})).await.ok();
    assert!(live["schedules"]["timer_1"]["lastRunAt"].is_number());
}

#[tokio::test]
async fn a_plane_that_was_down_catches_up_once() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;
    drop(dap);
    world.sleep(minutes(3));

    let world = world.restarted().await;
    world.settle().await;

    let ana = ana.at(&world.plane);
    assert_eq!(ticks(&world, &ana).await, ["missed(caught_up)", "missed(caught_up)", "ran"]);
    assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]));
}

#[tokio::test]
async fn a_disabled_environment_skips_its_ticks_and_an_enabled_one_does_not_make_up_for_them() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;

    of_staging(&mut dap, "disable", json!({})).await.ok();
    world.advance(minutes(2)).await;
    of_staging(&mut dap, "deploy", json!({"version": 2})).await.ok();
    world.advance(minutes(1)).await;
    of_staging(&mut dap, "enable", json!({})).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!(ticks(&world, &ana).await, ["skipped(paused)", "skipped(paused)", "skipped(paused)", "ran"]);
    assert_eq!(runs(&ana).await, [json!(["schedule", 2, "succeeded", "staging", "timer_1"])]);
}

#[tokio::test]
async fn a_paused_schedule_keeps_its_times_and_skips_its_ticks() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;

    of_staging(&mut dap, "schedule_pause", json!({"sourceId": "timer_1"})).await.ok();
    world.advance(minutes(1)).await;
    of_staging(&mut dap, "disable", json!({})).await.ok();
    let enabled = of_staging(&mut dap, "enable", json!({})).await.ok();
    world.advance(minutes(1)).await;
    of_staging(&mut dap, "schedule_resume", json!({"sourceId": "timer_1"})).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!(enabled["schedules"]["timer_1"]["paused"], true, "enabling leaves the schedule paused");
    assert_eq!(ticks(&world, &ana).await, ["skipped(paused)", "skipped(paused)", "ran"]);
}

#[tokio::test]
async fn a_removed_environment_is_silent_and_the_next_deployment_revives_it() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;

    let removed = of_staging(&mut dap, "remove", json!({})).await.ok();
    world.advance(minutes(2)).await;
    let listed = dap.ask("rrext_deploy_pipe", json!({"subcommand": "list"})).await.ok();
    let gone = of_staging(&mut dap, "get", json!({})).await.refused();
    let again = of_staging(&mut dap, "remove", json!({})).await.refused();
    assert_eq!(world.plane.timers.all().await.unwrap().len(), 0);
    let revived = of_staging(&mut dap, "deploy", json!({"version": 2})).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!((&removed["state"], &listed["total"]), (&json!("removed"), &json!(0)));
    assert_eq!((gone.as_str(), again.as_str()), ("No deployment of p for team staging", gone.as_str()));
    assert_eq!((&revived["state"], &revived["createdAt"]), (&json!("enabled"), &removed["createdAt"]));
    assert_eq!(ticks(&world, &ana).await, ["ran"]);
}

#[tokio::test]
async fn a_revoked_key_stops_the_schedules_that_were_set_with_it_until_another_enables_them() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;
    let other = world.user("ana").await;

    other.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();
    world.advance(minutes(1)).await;
    let mut dap = world.socket(&other).await;
    let stopped = of_staging(&mut dap, "get", json!({})).await.ok();
    let enabled = of_staging(&mut dap, "enable", json!({})).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!((&stopped["state"], &enabled["state"]), (&json!("errored"), &json!("enabled")));
    assert_eq!(ticks(&world, &other).await, ["skipped(errored)", "ran"]);
}

#[tokio::test]
async fn environments_and_sources_run_beside_each_other() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;
    let own = |subcommand: &str, more: Value| {
        let mut asked = crate::given::environments::staging(subcommand, more);
        asked["teamId"] = "@me".into();
        asked
    };
    dap.ask("rrext_deploy_pipe", own("deploy", json!({"version": 2}))).await.ok();
    let set = own("schedule_set", json!({"sourceId": "timer_1", "schedule": "* * * * *"}));
    let set = dap.ask("rrext_deploy_pipe", set).await.ok();
    ana.deploy(pipeline("p"), "* * * * *").await.ok();

    world.advance(minutes(1)).await;

    assert_eq!(set["teamId"], "user~ana");
    let mut made = runs(&ana).await;
    made.sort_by_key(Value::to_string);
    let wanted = [
        json!(["schedule", 1, "succeeded", "staging", "timer_1"]),
        json!(["schedule", 2, "succeeded", "@me", "timer_1"]),
        json!(["schedule", 3, "succeeded", null, null]),
    ];
    assert_eq!(made, wanted);
}

#[tokio::test]
async fn a_slot_starts_at_its_own_source() {
    let (world, ana, mut dap) = ana().await;
    let component = |id: &str, provider: &str, more: Value| json!({"id": id, "provider": provider, "config": more});
    let timer = json!({"mode": "Source", "type": "timer"});
    let answer = |number: &str, from: &str| {
        let lanes = json!({"lanes": [{"laneId": "documents", "laneName": number}]});
        let mut answer = component(number, "response", lanes);
        answer["input"] = json!([{"lane": "documents", "from": from}]);
        answer
    };
    let (one, two) = (component("timer_1", "timer", timer.clone()), component("timer_2", "timer", timer));
    let components = [one, two, answer("first", "timer_1"), answer("second", "timer_2")];
    let pipeline = json!({"project_id": "p", "name": "both", "components": components});
    dap.ask("rrext_deploy", json!({"subcommand": "add", "pipeline": pipeline, "deployTo": "staging"})).await.ok();
    let set = json!({"sourceId": "timer_2", "schedule": "* * * * *"});
    of_staging(&mut dap, "schedule_set", set).await.ok();

    world.advance(minutes(1)).await;

    let list = ana.get("/v1/runs").await.ok();
    let run = ana.get(&format!("/v1/runs/{}", list["items"][0]["id"].as_str().unwrap())).await.ok();
    assert!(run["result"]["second"].is_array() && run["result"]["first"].is_null(), "{run}");
}

#[tokio::test]
async fn a_slot_is_in_no_list_of_deployments_and_has_no_address() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;

    assert_eq!(ana.get("/v1/deployments").await.ok()["items"], json!([]));
    assert_eq!(dap.ask("rrext_deploy_list", json!({})).await.ok()["deployments"], json!([]));
    for path in ["", "/ticks", "/versions"] {
        let path = format!("/v1/deployments/p%01staging%01timer_1{path}");
        assert_eq!(ana.get(&path).await.refused(400), "invalid_argument", "{path}");
    }
    let spelled = tidemill_store::keys::spelled(&timer());
    let addressed = dap.ask("rrext_deploy_status", json!({"projectId": spelled})).await.refused();
    assert!(addressed.contains("control character"), "{addressed}");
    let named = ana.deploy(pipeline(&spelled), "manual").await;
    assert_eq!(named.refused(400), "invalid_argument");

    // The text that people are shown for the source is a project's name like any other.
    ana.deploy(pipeline(&timer().to_string()), "manual").await.ok();
    world.advance(minutes(1)).await;
    assert_eq!(runs(&ana).await.len(), 1);
}

#[tokio::test]
async fn a_run_of_an_environment_is_found_and_its_log_and_result_are_its_own() {
    let (world, ana, mut dap) = ana().await;
    scheduled(&mut dap, "* * * * *").await;
    world.advance(minutes(1)).await;
    let list = ana.get("/v1/runs").await.ok();
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();

    for query in ["", "?project=p"] {
        let run = ana.get(&format!("/v1/runs/{id}{query}")).await.ok();
        assert_eq!(
            (&run["project"], &run["environment"], &run["source"]),
            (&json!("p"), &json!("staging"), &json!("timer_1"))
        );
        assert!(run["result"].is_object(), "{run}");
        ana.get(&format!("/v1/runs/{id}/logs{query}")).await.ok();
    }
    assert_eq!(ana.get(&format!("/v1/runs/{id}?project=q")).await.refused(404), "not_found");
}

#[tokio::test]
async fn what_cannot_be_scheduled_leaves_everything_as_it_was() {
    let (world, _, mut dap) = ana().await;
    scheduled(&mut dap, "@daily").await;
    let before = of_staging(&mut dap, "get", json!({})).await.ok();

    for (change, says) in [
        (json!({"sourceId": "timer_1", "schedule": "0 0 30 2 *"}), "never fires"),
        (json!({"sourceId": "timer_1", "schedule": "* * * * *", "ttl": 0}), "ttl must be a positive integer"),
        (json!({"sourceId": "timer_1", "schedule": "* * * * *", "ttl": "5"}), "ttl must be a positive integer"),
        (json!({"sourceId": "timer_1", "schedule": "* * * * *", "ttl": 90_000}), "86400"),
        (json!({"sourceId": "nothing", "schedule": "* * * * *"}), "not a component"),
        (json!({"sourceId": "response_1", "schedule": "* * * * *"}), "not a source"),
        (json!({"schedule": "* * * * *"}), "sourceId is required"),
    ] {
        let refused = of_staging(&mut dap, "schedule_set", change).await.refused();
        assert!(refused.contains(says), "{refused}");
    }

    assert_eq!(of_staging(&mut dap, "get", json!({})).await.ok(), before);
    assert_eq!(world.plane.timers.all().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_environment_has_at_most_25_schedules() {
    let (_world, _, mut dap) = ana().await;
    let mut many = pipeline("p");
    many["name"] = "many".into();
    many["components"] = (0..26)
        .map(|number| json!({"id": format!("t{number}"), "provider": "timer", "config": {"mode": "Source", "type": "timer"}}))
        .collect();
    many["components"].as_array_mut().unwrap().push(
        json!({"id": "r", "provider": "response", "config": {"lanes": []},
               "input": (0..26).map(|number| json!({"lane": "documents", "from": format!("t{number}")})).collect::<Vec<_>>()}),
    );
    many.as_object_mut().unwrap().remove("source");
    dap.ask("rrext_deploy", json!({"subcommand": "add", "pipeline": many, "deployTo": "staging"})).await.ok();

    let mut outcomes = Vec::new();
    for number in 0..26 {
        let set = json!({"sourceId": format!("t{number}"), "schedule": "@daily"});
        outcomes.push(of_staging(&mut dap, "schedule_set", set).await);
    }

    let last = outcomes.pop().unwrap().refused();
    assert!(last.contains("the limit of one environment"), "{last}");
    outcomes.into_iter().for_each(|reply| drop(reply.ok()));
    // All of them together are still one transaction.
    of_staging(&mut dap, "disable", json!({})).await.ok();
}

#[tokio::test]
async fn environments_are_their_owners_own() {
    let (world, _, mut dap) = ana().await;
    scheduled(&mut dap, "@daily").await;
    let bob = world.user("bob").await;
    let mut bobs = world.socket(&bob).await;

    let refused = of_staging(&mut bobs, "get", json!({})).await.refused();
    let listed = bobs.ask("rrext_deploy_pipe", json!({"subcommand": "list"})).await.ok();
    let versions_seen = bobs.ask("rrext_deploy", json!({"subcommand": "versions", "projectId": "p"})).await.ok();
    let private = json!({"subcommand": "get", "projectId": "p", "teamId": "user~ana"});
    let private = bobs.ask("rrext_deploy_pipe", private).await.refused();
    versions(&mut bobs, 1).await;

    assert_eq!(refused, "No deployment of p for team staging");
    assert_eq!((&listed["total"], &versions_seen["total"]), (&json!(0), &json!(0)));
    assert_eq!(private, "No membership in team 'user~ana'");
    let of_ana = dap.ask("rrext_deploy", json!({"subcommand": "versions", "projectId": "p"})).await.ok();
    assert_eq!(of_ana["total"], 2);
}

#[tokio::test]
async fn each_subcommand_needs_its_scope() {
    use tidemill_model::key::Scope;
    let world = TestPlane::new().await;
    let reader = world.user_with("ana", &[Scope::Monitor]).await;
    let sender = world.user_with("ana", &[Scope::Data]).await;
    let mut dap = world.socket(&reader).await;

    for (command, subcommand) in [
        ("rrext_deploy", "add"),
        ("rrext_deploy_pipe", "deploy"),
        ("rrext_deploy_pipe", "enable"),
        ("rrext_deploy_pipe", "disable"),
        ("rrext_deploy_pipe", "remove"),
        ("rrext_deploy_pipe", "schedule_set"),
        ("rrext_deploy_pipe", "schedule_pause"),
        ("rrext_deploy_pipe", "schedule_resume"),
        ("rrext_deploy_pipe", "source_config"),
        ("rrext_deploy_pipe", "run"),
    ] {
        let asked = json!({"subcommand": subcommand, "pipeline": named("n"), "projectId": "p", "teamId": "t"});
        assert_eq!(dap.ask(command, asked).await.refused(), "Permission 'task.control' denied", "{subcommand}");
    }
    let mut dap = world.socket(&sender).await;
    for (command, subcommand) in [
        ("rrext_deploy", "versions"),
        ("rrext_deploy", "history"),
        ("rrext_deploy", "artifact"),
        ("rrext_deploy_pipe", "list"),
        ("rrext_deploy_pipe", "get"),
        ("rrext_deploy_pipe", "preview"),
    ] {
        let asked = json!({"subcommand": subcommand, "projectId": "p", "teamId": "t"});
        assert_eq!(dap.ask(command, asked).await.refused(), "Permission 'task.monitor' denied", "{subcommand}");
    }
    assert_eq!(dap.ask("rrext_deploy", json!({})).await.refused(), "Subcommand is required");
    assert_eq!(dap.ask("rrext_deploy", json!({"subcommand": "x"})).await.refused(), "Unknown subcommand: x");
}
