//! Deployments as RocketRide's clients ask for them; above all what their own server gets wrong.

use crate::given::echo;
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_model::key::Scope;
use tidemill_operations::Bell;
use tidemill_operations::bell::QueueKind;
use tidemill_protocols::dap::{Frame, Outgoing};
use tidemill_testing::{Dap, Death, TestPlane, minutes, pipeline, seconds};

/// A world, ana and her socket.
async fn ana() -> (TestPlane, tidemill_testing::User, Dap) {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let dap = world.socket(&ana).await;
    (world, ana, dap)
}

#[tokio::test]
async fn the_record_has_six_fields() {
    let (_world, _, mut dap) = ana().await;

    let record = dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p"), "schedule": "@daily"})).await.ok();

    let wanted = json!({
        "pipeline": pipeline("p"),
        "schedule": "@daily",
        "state": "active",
        "userId": "ana",
        "createdAt": 1_772_445_630.0,
        "updatedAt": 1_772_445_630.0,
    });
    assert_eq!(record, wanted);
    assert_eq!(dap.ask("rrext_deploy_status", json!({"projectId": "p"})).await.ok(), wanted);
    assert_eq!(dap.ask("rrext_deploy_list", json!({})).await.ok(), json!({"deployments": [wanted]}));
}

#[tokio::test]
async fn the_pipeline_comes_back_to_the_byte() {
    let (_world, _, mut dap) = ana().await;
    let text = pipeline("p").to_string().replacen(
        '{',
        r#"{ "zz" : [1.0,1e2,-0.0,12345678901234567890123] , "ü":"\u00fc\/","#,
        1,
    );
    let frame = format!(r#"{{"seq":2,"command":"rrext_deploy_add","arguments":{{"pipeline":{text}}}}}"#);

    dap.frame(Frame::Text(frame.into())).await;
    let added = dap.sent();
    dap.send("rrext_deploy_status", json!({"projectId": "p"})).await;
    let read = dap.sent();

    for sent in [added, read] {
        let Some(Outgoing::Text(answer)) = sent else { panic!("{sent:?}") };
        assert!(answer.contains(&format!(r#""pipeline":{text},"schedule""#)), "{answer}");
    }
}

#[tokio::test]
async fn of_many_adds_at_once_one_wins() {
    let (_world, _, mut dap) = ana().await;

    let works: Vec<_> =
        (0..20).map(|number| dap.send("rrext_deploy_add", json!({"pipeline": with(pipeline("p"), number)}))).collect();
    join_all(works).await;

    let replies: Vec<_> = (0..20).map(|_| dap.reply().0).collect();
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply["success"] == true);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|reply| reply["message"] == "Deployment already exists: p"), "{lost:?}");
    assert!(lost.iter().all(|reply| reply["code"] == "ALREADY_EXISTS"));
}

fn with(mut pipeline: Value, number: usize) -> Value {
    pipeline["number"] = number.into();
    pipeline
}

#[tokio::test]
async fn a_table_that_fails_during_an_add_leaves_no_half_of_it() {
    let (world, ana, mut dap) = ana().await;
    for at in 0..6 {
        world.faults.die(Some(Death::Before(at)));
        dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p")})).await;
        let died = world.faults.is_dead();
        world.faults.die(None);

        let mut again = world.socket(&ana).await;
        if died {
            assert!(
                again.ask("rrext_deploy_status", json!({"projectId": "p"})).await.refused().contains("does not exist")
            );
        }
    }
}

#[tokio::test]
async fn of_many_updates_at_once_none_is_lost() {
    let (_world, ana, mut dap) = ana().await;
    dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p")})).await.ok();

    let pipelines = (0..20).map(|number| json!({"projectId": "p", "pipeline": with(pipeline("p"), number)}));
    let schedule = json!({"projectId": "p", "schedule": "@daily"});
    let works: Vec<_> = pipelines.chain([schedule]).map(|change| dap.send("rrext_deploy_update", change)).collect();
    join_all(works).await;

    for _ in 0..21 {
        assert_eq!(dap.reply().ok(), json!({}));
    }
    let deployment = ana.get("/v1/deployments/p").await.ok();
    assert_eq!((&deployment["version"], &deployment["schedule"]), (&json!(21), &json!("@daily")));
}

#[tokio::test]
async fn an_update_that_races_a_remove_never_brings_the_record_back() {
    let (_world, _, mut dap) = ana().await;
    for _ in 0..10 {
        dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p")})).await.ok();
        let update = |dap: &mut Dap| dap.send("rrext_deploy_update", json!({"projectId": "p", "schedule": "@daily"}));
        let works = [
            update(&mut dap),
            update(&mut dap),
            dap.send("rrext_deploy_remove", json!({"projectId": "p"})),
            update(&mut dap),
        ];
        join_all(works).await;
        while dap.sent().is_some() {}

        let status = dap.ask("rrext_deploy_status", json!({"projectId": "p"})).await;

        assert!(status.refused().contains("does not exist"));
    }
}

#[tokio::test]
async fn a_key_that_is_found_revoked_never_brings_a_removed_record_back() {
    for removed_first in [true, false] {
        let world = TestPlane::new().await;
        let (ana, first) = (world.user("ana").await, world.user("ana").await);
        let add = json!({"pipeline": pipeline("p"), "schedule": "* * * * *"});
        world.socket(&first).await.ask("rrext_deploy_add", add).await.ok();
        ana.delete(&format!("/v1/keys/{}", first.key_id)).await.ok();
        let mut dap = world.socket(&ana).await;
        world.sleep(seconds(60));
        let (owner, project) = (OwnerId::parse("ana").unwrap(), ProjectId::parse("p").unwrap());
        world.plane.queue.ring(Bell::Tick { owner, deployment: project.into() }, Duration::ZERO).await.unwrap();

        let remove = dap.send("rrext_deploy_remove", json!({"projectId": "p"}));
        match removed_first {
            true => drop(futures::join!(remove, world.answer(QueueKind::Ticks))),
            false => drop(futures::join!(world.answer(QueueKind::Ticks), remove)),
        }
        dap.reply().ok();
        world.settle().await;

        assert!(dap.ask("rrext_deploy_status", json!({"projectId": "p"})).await.refused().contains("does not exist"));
    }
}

#[tokio::test]
async fn a_source_that_waits_for_callers_does_not_wedge_its_schedule() {
    let (world, ana, mut dap) = ana().await;
    for source in ["webhook", "chat"] {
        let lane = if source == "chat" { "questions" } else { "text" };
        let response = ("response", json!({"lanes": []}), "");
        let pipeline = crate::given::chain(source, &[(source, json!({}), lane), response]);
        dap.ask("rrext_deploy_add", json!({"pipeline": pipeline, "schedule": "* * * * *"})).await.ok();
    }

    world.advance(minutes(3)).await;

    for source in ["webhook", "chat"] {
        assert_eq!(ana.ticks(source).await, ["ran", "ran", "ran"], "{source}");
        assert_eq!(ana.runs(source).await.len(), 3);
        assert_eq!(dap.ask("rrext_deploy_status", json!({"projectId": source})).await.ok()["state"], "active");
    }
}

#[tokio::test]
async fn no_name_leads_to_another_owners_deployment() {
    let (world, _, mut dap) = ana().await;
    let bob = world.user("bob").await;
    let mut bobs = world.socket(&bob).await;
    dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p")})).await.ok();

    for name in ["p", "../../ana/deployments/p", "../ana/p", "ana#p", "ana/p", "ana%2Fp", "./p"] {
        for command in ["rrext_deploy_status", "rrext_deploy_update", "rrext_deploy_remove"] {
            let reply = bobs.ask(command, json!({"projectId": name, "userId": "ana"})).await;
            assert!(reply.refused().starts_with(&format!("project `{name}` does not exist")), "{command} {name}");
        }
    }
    assert_eq!(bobs.ask("rrext_deploy_list", json!({})).await.ok(), json!({"deployments": []}));
    assert_eq!(dap.ask("rrext_deploy_status", json!({"projectId": "p"})).await.ok()["state"], "active");
}

#[tokio::test]
async fn two_owners_of_one_project_id_keep_their_schedules() {
    let (world, ana, mut dap) = ana().await;
    let bob = world.user("bob").await;
    let mut bobs = world.socket(&bob).await;
    for dap in [&mut dap, &mut bobs] {
        dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p"), "schedule": "* * * * *"})).await.ok();
    }

    dap.ask("rrext_deploy_remove", json!({"projectId": "p"})).await.ok();
    world.advance(minutes(3)).await;

    assert_eq!((ana.runs("p").await.len(), bob.runs("p").await.len()), (0, 3));
}

#[tokio::test]
async fn a_schedule_that_never_fires_keeps_nothing() {
    let (_world, _, mut dap) = ana().await;

    let refused =
        dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p"), "schedule": "0 0 30 2 *"})).await.refused();

    assert!(refused.contains("never fires") && refused.contains("hint:"), "{refused}");
    dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p")})).await.ok();
}

#[tokio::test]
async fn a_run_that_is_going_is_not_overlapped_after_a_removal_and_an_add() {
    let (world, ana, mut dap) = ana().await;
    dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p"), "schedule": "* * * * *"})).await.ok();
    let going = crate::given::queued(&ana, "p").await;
    // A worker takes it, and dies.
    world.faults.die(Some(Death::After(3)));
    world.answer(QueueKind::Runs).await;
    world.faults.die(None);

    dap.ask("rrext_deploy_remove", json!({"projectId": "p"})).await.ok();
    dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p"), "schedule": "* * * * *"})).await.ok();
    // The tick comes before the next worker does.
    world.sleep(seconds(60));
    let (owner, project) = (OwnerId::parse("ana").unwrap(), ProjectId::parse("p").unwrap());
    world.plane.queue.ring(Bell::Tick { owner, deployment: project.into() }, Duration::ZERO).await.unwrap();
    world.answer(QueueKind::Ticks).await;

    assert_eq!(ana.ticks("p").await.last().map(String::as_str), Some("skipped(overlap)"));
    assert_eq!(crate::given::run(&ana, &going).await["state"], "running");
}

#[tokio::test]
async fn a_trouble_of_the_table_is_no_refusal_of_the_key() {
    let (world, _, mut dap) = ana().await;
    dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p"), "schedule": "@daily"})).await.ok();

    world.faults.die(Some(Death::Before(0)));
    let message = dap.ask("rrext_deploy_list", json!({})).await.refused();
    world.faults.die(None);

    assert!(message.starts_with("the table did not answer in time"), "{message}");
    assert_eq!(dap.sent(), None, "the socket stays");
    assert_eq!(dap.ask("rrext_deploy_status", json!({"projectId": "p"})).await.ok()["state"], "active");
}

#[tokio::test]
async fn an_errored_deployment_stays_errored_under_an_update() {
    let world = TestPlane::new().await;
    let (ana, first) = (world.user("ana").await, world.user("ana").await);
    world
        .socket(&first)
        .await
        .ask("rrext_deploy_add", json!({"pipeline": pipeline("p"), "schedule": "* * * * *"}))
        .await
        .ok();
    ana.delete(&format!("/v1/keys/{}", first.key_id)).await.ok();
    world.advance(minutes(1)).await;
    let mut dap = world.socket(&ana).await;
    let created = dap.ask("rrext_deploy_status", json!({"projectId": "p"})).await.ok();
    assert_eq!(created["state"], "errored");

    dap.ask("rrext_deploy_update", json!({"projectId": "p", "schedule": "@daily"})).await.ok();

    let after = dap.ask("rrext_deploy_status", json!({"projectId": "p"})).await.ok();
    assert_eq!((&after["state"], &after["createdAt"]), (&json!("errored"), &created["createdAt"]));
}

#[tokio::test]
async fn a_good_pipeline_is_valid_however_it_is_wrapped() {
    let (_world, _, mut dap) = ana().await;
    let mut nameless = echo("p");
    nameless.as_object_mut().unwrap().remove("project_id");
    for sent in [echo("p"), json!({"pipeline": echo("p")}), nameless] {
        let result = dap.ask("rrext_validate", json!({"pipeline": sent})).await.ok();

        assert_eq!(result.get("errors"), None, "{result}");
        assert_eq!(result["pipeline"]["chain"], json!(["webhook_1", "response_1"]));
    }
}

#[tokio::test]
async fn no_answer_holds_a_key_or_a_path_of_the_server() {
    let (_world, ana, mut dap) = ana().await;
    dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p")})).await.ok();
    for (command, arguments) in [
        ("rrext_deploy_status", json!({"projectId": "p"})),
        ("rrext_deploy_status", json!({"projectId": "missing"})),
        ("rrext_deploy_list", json!({})),
        ("rrext_dashboard", json!({})),
        ("rrext_deploy_add", json!({"pipeline": {"project_id": "q", "components": 7}})),
    ] {
        let text = dap.ask(command, arguments).await.0.to_string();

        assert!(!text.contains(&ana.key) && !text.contains(".rs") && !text.contains("/"), "{text}");
    }
}

#[tokio::test]
async fn every_problem_of_a_pipeline_is_in_the_one_message() {
    let (_world, _, mut dap) = ana().await;
    let mut broken = pipeline("p");
    broken["components"][0]["provider"] = "timr".into();
    broken["components"][1]["input"][0]["from"] = "missing".into();

    let message = dap.ask("rrext_deploy_add", json!({"pipeline": broken})).await.refused();

    let lines: Vec<_> = message.lines().collect();
    assert_eq!(lines[0], "the pipeline has 2 problems:");
    assert!(lines[1].contains("`timer_1`") && lines[1].contains("did you mean `timer`"), "{message}");
    assert!(lines[2].contains("`response_1`") && lines[2].contains("missing"), "{message}");
}

#[tokio::test]
async fn the_checks_come_in_their_order() {
    let world = TestPlane::new().await;
    let monitor = world.user_with("ana", &[Scope::Monitor]).await;
    let ana = world.user("ana").await;
    let mut weak = world.socket(&monitor).await;
    let mut dap = world.socket(&ana).await;
    dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p")})).await.ok();

    let add = "rrext_deploy_add";
    assert_eq!(weak.ask(add, json!({})).await.refused(), "Permission 'task.control' denied");
    assert_eq!(dap.ask(add, json!({"schedule": "* *"})).await.refused(), "pipeline is required");
    assert_eq!(dap.ask(add, json!({"pipeline": "x", "schedule": "* *"})).await.refused(), "pipeline must be an object");
    let nameless = json!({"pipeline": {"components": []}, "schedule": "* *"});
    assert_eq!(dap.ask(add, nameless).await.refused(), "pipeline.project_id is required");
    let taken = json!({"pipeline": pipeline("p"), "schedule": "* *"});
    assert!(dap.ask(add, taken).await.refused().contains("2 fields"));
    let update = json!({"projectId": "missing", "schedule": "* *"});
    assert!(dap.ask("rrext_deploy_update", update).await.refused().contains("2 fields"));
}

#[tokio::test]
async fn a_list_costs_three_reads_for_a_hundred_deployments() {
    let (world, _, mut dap) = ana().await;
    for number in 0..30 {
        dap.ask("rrext_deploy_add", json!({"pipeline": with(pipeline(&format!("p{number:02}")), number)})).await.ok();
    }
    let noise: String = (0..600_000u64)
        .map(|n| char::from(b'!' + (n.wrapping_mul(n).wrapping_mul(2_654_435_761) >> 13) as u8 % 90))
        .collect();
    let mut large = pipeline("large");
    large["noise"] = noise.into();
    dap.ask("rrext_deploy_add", json!({"pipeline": large})).await.ok();
    world.faults.die(None);

    let listed = dap.ask("rrext_deploy_list", json!({})).await.ok();

    let calls = world.faults.calls();
    let count = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
    assert_eq!((count("BatchGetItem"), count("Query")), (2, 2), "the page, and the pipeline of two items");
    assert_eq!(count("GetItem"), 1, "the key");
    let listed = listed["deployments"].as_array().unwrap();
    assert_eq!(listed.len(), 31);
    assert_eq!(listed[0]["pipeline"], large);
    assert_eq!(listed[7]["pipeline"]["number"], 6);
}
