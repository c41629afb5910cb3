//! Versions and environments in the words of RocketRide's newer clients: what they may ask for, and the answers
//! when they may not.

use crate::given::echo;
use crate::given::environments::{ana, named, of_staging, versions};
use serde_json::{Value, json};
use tidemill_testing::{Dap, Reply, minutes};

async fn preview(dap: &mut Dap, schedule: &str, count: Value) -> Value {
    let asked = json!({"subcommand": "preview", "schedule": schedule, "count": count});
    dap.ask("rrext_deploy_pipe", asked).await.ok()
}

#[tokio::test]
async fn a_preview_answers_also_what_is_no_schedule_and_counts_as_far_as_it_goes() {
    let (_world, _ana, mut dap) = ana().await;

    let empty = preview(&mut dap, "", Value::Null).await;

    assert_eq!((&empty["valid"], &empty["next"]), (&json!(false), &json!([])));
    assert!(empty["error"].as_str().unwrap().contains("schedule"), "{empty}");
    for (count, shown) in [(json!(10_000_000_000_u64), 50), (json!(50), 50), (json!(-1), 0), (Value::Null, 5)] {
        let seen = preview(&mut dap, "* * * * *", count.clone()).await;
        assert_eq!(seen["next"].as_array().unwrap().len(), shown, "{count}");
    }
}

/// The versions of `p` that a list shows: their numbers, and the page.
async fn listed(dap: &mut Dap, more: Value) -> Value {
    let mut asked = json!({"subcommand": "versions", "projectId": "p"});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let page = dap.ask("rrext_deploy", asked).await.ok();
    let numbers: Vec<_> = page["rows"].as_array().unwrap().iter().map(|row| row["version"].clone()).collect();
    json!([numbers, page["page"], page["pageSize"]])
}

#[tokio::test]
async fn a_text_filters_by_what_it_is_part_of_and_numbers_may_be_texts() {
    let (_world, _ana, mut dap) = ana().await;
    versions(&mut dap, 12).await;

    for (filters, wanted) in [
        (json!({"pipelineName": "V1"}), json!([12, 11, 10, 1])),
        (json!({"pipelineName": ["v1", "v3"]}), json!([3, 1])),
        (json!({"version": 2}), json!([2])),
        (json!({"version": "2"}), json!([2])),
        (json!({"version": ["2", 3]}), json!([3, 2])),
        (json!({"version__gte": "9", "version__lte": "10"}), json!([10, 9])),
        (json!({"pipelineName": "w"}), json!([])),
    ] {
        assert_eq!(listed(&mut dap, json!({"filters": filters})).await[0], wanted, "{filters}");
    }
}

#[tokio::test]
async fn a_page_that_there_is_not_is_the_nearest_that_there_is() {
    let (_world, _ana, mut dap) = ana().await;
    versions(&mut dap, 3).await;

    for (asked, page, size) in [
        (json!({"page": -1, "page_size": 2}), 1, 2),
        (json!({"page": 0, "page_size": -7}), 1, 1),
        (json!({"page_size": 10_000_000_000_u64}), 1, 100),
        (json!({}), 1, 50),
    ] {
        let listed = listed(&mut dap, asked.clone()).await;
        assert_eq!((&listed[1], &listed[2]), (&json!(page), &json!(size)), "{asked}");
        assert_eq!(listed[0][0], 3, "{asked}");
    }
}

async fn add(dap: &mut Dap, more: Value) -> Reply {
    let mut asked = json!({"subcommand": "add", "pipeline": named("one")});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    dap.ask("rrext_deploy", asked).await
}

#[tokio::test]
async fn a_name_that_is_no_text_is_refused() {
    let (_world, _ana, mut dap) = ana().await;

    for name in [json!(5), json!(["one"]), json!({}), json!(true)] {
        let mut pipeline = named("one");
        pipeline["name"] = name.clone();
        let refused = add(&mut dap, json!({"pipeline": pipeline})).await.refused();
        assert_eq!(refused, "pipeline.name must be a text", "{name}");
    }
    assert_eq!(listed(&mut dap, json!({})).await[0], json!([]));
}

#[tokio::test]
async fn an_impossible_team_is_refused_with_how_teams_are_named() {
    let (_world, _ana, mut dap) = ana().await;

    for team in ["bad team", "@you", &"x".repeat(65)] {
        let refused = add(&mut dap, json!({"deployTo": team})).await.refused();
        assert!(refused.contains("1 to 64 of `a-z A-Z 0-9 . _ -`") && refused.contains("`@me`"), "{refused}");
    }
    let refused = add(&mut dap, json!({"deployTo": "user~bob"})).await.refused();
    assert_eq!(refused, "No membership in team 'user~bob'");
    assert_eq!(listed(&mut dap, json!({})).await[0], json!([]));
}

#[tokio::test]
async fn numbers_out_of_range_are_refused_with_the_range() {
    let (_world, _ana, mut dap) = ana().await;
    add(&mut dap, json!({"deployTo": "staging"})).await.ok();

    for ttl in [86_401_u64, 1 << 40] {
        let asked = json!({"sourceId": "timer_1", "schedule": "@daily", "ttl": ttl});
        let refused = of_staging(&mut dap, "schedule_set", asked).await.refused();
        assert!(refused.starts_with(&format!("ttl is {ttl}, outside 1 to 86400 seconds")), "{refused}");
    }
    for version in [json!(-1), json!(0), json!(1_u64 << 32), json!(1.5), json!("1")] {
        let refused = of_staging(&mut dap, "deploy", json!({"version": version})).await.refused();
        assert_eq!(refused, "version must be a whole number from 1 to 4294967295", "{version}");
    }
}

#[tokio::test]
async fn a_version_that_is_not_there_is_named_with_where_to_look() {
    let (_world, _ana, mut dap) = ana().await;
    add(&mut dap, json!({})).await.ok();

    let said = "version 99 of `p` does not exist; hint: check the number; the project's history shows its versions";
    assert_eq!(of_staging(&mut dap, "deploy", json!({"version": 99})).await.refused(), said);
    let artifact = json!({"subcommand": "artifact", "projectId": "p", "version": 99});
    assert_eq!(dap.ask("rrext_deploy", artifact).await.refused(), said);
}

#[tokio::test]
async fn a_schedule_on_a_source_that_waits_for_a_caller_is_warned_of_and_its_runs_say_why_they_did_nothing() {
    let (world, ana, mut dap) = ana().await;
    let mut pipeline = echo("p");
    pipeline["name"] = "echo".into();
    let added = add(&mut dap, json!({"pipeline": pipeline, "deployTo": "staging"})).await.ok();
    assert_eq!(added["deployment"]["warnings"], Value::Null, "nothing is scheduled yet");

    let every_minute = json!({"sourceId": "webhook_1", "schedule": "* * * * *"});
    let set = of_staging(&mut dap, "schedule_set", every_minute).await.ok();
    let again = add(&mut dap, json!({"pipeline": pipeline, "deployTo": "staging"})).await.ok();
    world.advance(minutes(1)).await;
    let run = ana.get("/v1/runs").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let log = ana.get(&format!("/v1/runs/{run}/logs")).await.ok();
    let cleared = of_staging(&mut dap, "schedule_set", json!({"sourceId": "webhook_1"})).await.ok();

    let warning = &set["warnings"][0];
    assert_eq!(warning["id"], "webhook_1", "{set}");
    assert!(warning["message"].as_str().unwrap().contains("waits for a caller"), "{set}");
    assert_eq!(again["deployment"]["warnings"], set["warnings"]);
    assert!(log["items"][0]["message"].as_str().unwrap().contains("nothing to do"), "{log}");
    assert_eq!(cleared["warnings"], Value::Null);
}

#[tokio::test]
async fn tasks_and_connections_are_listed_by_the_page() {
    let (world, ana, mut dap) = ana().await;
    let _other = world.socket(&ana).await;
    let _bobs = world.socket(&world.user("bob").await).await;
    for project in ["alpha", "beta", "gamma"] {
        world.sleep(std::time::Duration::from_secs(1));
        dap.ask("execute", json!({"pipeline": echo(project)})).await.ok();
    }

    let tasks = dap.ask("rrext_list_tasks", json!({"page": 2, "page_size": 2})).await.ok();
    let found = dap.ask("rrext_list_tasks", json!({"search": "BETA", "filters": {"completed": "false"}})).await.ok();
    let connections = dap.ask("rrext_list_connections", json!({})).await.ok();
    let shown = dap.ask("rrext_dashboard", json!({})).await.ok();

    assert_eq!((&tasks["total"], &tasks["page"], &tasks["pageSize"]), (&json!(3), &json!(2), &json!(2)));
    assert_eq!(tasks["rows"], json!([shown["tasks"][0]]), "the oldest comes first");
    assert_eq!(tasks["rows"][0]["projectId"], "gamma");
    assert_eq!((&found["total"], &found["rows"][0]["projectId"]), (&json!(1), &json!("beta")));
    assert_eq!((&connections["total"], &connections["pageSize"]), (&json!(2), &json!(50)));
    assert!(connections["rows"][0]["id"].as_u64() < connections["rows"][1]["id"].as_u64());
}
