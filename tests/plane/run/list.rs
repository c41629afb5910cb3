//! Listing runs.

use crate::given::environments::{of_staging, scheduled, versions};
use crate::given::{broken, queued, ran};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, minutes, pipeline};

async fn ids(user: &User, path: &str) -> Vec<String> {
    let list = user.get(path).await.ok();
    list["items"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

/// Two scheduled runs of version 1, then a cancelled and a failed one by hand of version 2, a minute apart each.
async fn with_four_runs(world: &TestPlane) -> (User, Vec<String>) {
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "*/1 * * * *").await.ok();
    world.advance(minutes(2)).await;
    ana.patch("/v1/deployments/p", json!({"pipeline": broken("p"), "schedule": "manual"})).await.ok();
    world.advance(minutes(1)).await;
    let id = queued(&ana, "p").await;
    ana.post(&format!("/v1/runs/{id}/cancel"), Value::Null).await.ok();
    world.advance(minutes(1)).await;
    ran(world, &ana, "p").await;
    let mut newest_first = ids(&ana, "/v1/runs?project=p").await;
    assert_eq!(newest_first.len(), 4);
    newest_first.reverse();
    (ana, newest_first)
}

#[tokio::test]
async fn runs_are_listed_newest_first_without_their_results() {
    let world = TestPlane::new().await;
    let (ana, _) = with_four_runs(&world).await;

    let list = ana.get("/v1/runs?project=p").await.ok();

    let items = list["items"].as_array().unwrap();
    let states: Vec<_> = items.iter().map(|run| run["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "cancelled", "succeeded", "succeeded"]);
    assert!(items.windows(2).all(|pair| pair[0]["queuedAt"].as_str() > pair[1]["queuedAt"].as_str()));
    assert!(items.iter().all(|run| run.get("result").is_none()));
    assert_eq!(list["next"], Value::Null);
}

#[tokio::test]
async fn runs_are_filtered_by_state_trigger_version_and_time() {
    let world = TestPlane::new().await;
    let (ana, runs) = with_four_runs(&world).await;

    for (filter, expected) in [
        ("state=failed", vec![3]),
        ("state=succeeded", vec![1, 0]),
        ("state=running", vec![]),
        ("trigger=schedule", vec![1, 0]),
        ("trigger=manual", vec![3, 2]),
        ("version=2", vec![3, 2]),
        ("version=2&state=cancelled", vec![2]),
        ("since=2026-03-02T10:02:00Z", vec![3, 2, 1]),
        ("until=2026-03-02T10:02:00Z", vec![0]),
        ("since=2026-03-02T10:02:00Z&until=2026-03-02T10:04:00Z&trigger=manual", vec![2]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|at: usize| runs[at].clone()).collect();
        assert_eq!(ids(&ana, &format!("/v1/runs?project=p&{filter}")).await, expected, "{filter}");
        assert_eq!(ids(&ana, &format!("/v1/runs?{filter}")).await, expected, "{filter} of all projects");
    }
}

#[tokio::test]
async fn pages_hold_every_run_once_filtered_or_not() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for project in ["p", "q"] {
        ana.deploy(pipeline(project), "* * * * *").await.ok();
    }
    world.advance(minutes(10)).await;

    for (filter, count) in [("project=p", 10), ("state=succeeded", 20), ("project=q&trigger=schedule", 10)] {
        for limit in [1, 3, 7, 100] {
            let mut seen = Vec::new();
            let mut path = format!("/v1/runs?{filter}&limit={limit}");
            loop {
                let page = ana.get(&path).await.ok();
                let items = page["items"].as_array().unwrap();
                assert!(items.len() <= limit, "{path}");
                seen.extend(items.iter().map(|run| run["id"].as_str().unwrap().to_owned()));
                assert!(seen.len() <= count, "it comes to an end: {seen:?}");
                let Some(cursor) = page["next"].as_str() else { break };
                path = format!("/v1/runs?{filter}&limit={limit}&cursor={cursor}");
            }
            assert_eq!(seen.len(), count, "{filter}, {limit} a page");
            assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first and none twice: {seen:?}");
        }
    }
}

#[tokio::test]
async fn without_a_project_all_of_an_owners_runs_are_listed_and_no_other_owners() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let bob = world.user("bob").await;
    for (user, project) in [(&ana, "p"), (&ana, "q"), (&bob, "p")] {
        user.deploy(pipeline(project), "* * * * *").await.ok();
    }
    world.advance(minutes(2)).await;

    let list = ana.get("/v1/runs").await.ok();

    let mut projects: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|run| run["project"].as_str().unwrap()).collect();
    projects.sort_unstable();
    assert_eq!(projects, ["p", "p", "q", "q"]);
    assert_eq!(bob.get("/v1/runs").await.ok()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_filter_that_cannot_be_is_refused_by_name() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    for (query, named) in [
        ("state=walking", "walking"),
        ("trigger=magic", "magic"),
        ("version=one", "version"),
        ("since=yesterday", "since"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("colour=red", "colour"),
        ("cursor=nonsense", "cursor"),
    ] {
        let answer = ana.get(&format!("/v1/runs?{query}")).await;
        assert!(answer.body["message"].as_str().unwrap().contains(named), "{query}: {}", answer.body);
        assert_eq!(answer.refused(400), "invalid_argument", "{query}");
    }
    assert_eq!(ana.get("/v1/runs?project=missing").await.refused(404), "not_found");
}

#[tokio::test]
async fn a_projects_runs_are_those_of_its_environments_too_each_once_page_by_page() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.socket(&ana).await;
    scheduled(&mut dap, "* * * * *").await;
    let of_production = json!({"subcommand": "deploy", "projectId": "p", "teamId": "production", "version": 1});
    dap.ask("rrext_deploy_pipe", of_production).await.ok();
    let by_hand = json!({"subcommand": "run", "projectId": "p", "teamId": "production", "sourceId": "timer_1"});
    dap.ask("rrext_deploy_pipe", by_hand).await.ok();
    dap.ask("rrext_deploy_add", json!({"pipeline": pipeline("p"), "schedule": "* * * * *"})).await.ok();
    ana.deploy(pipeline("other"), "* * * * *").await.ok();
    world.advance(minutes(5)).await;

    let all = ana.get("/v1/runs?project=p&limit=100").await.ok();
    let places: Vec<_> = all["items"].as_array().unwrap().iter().map(|run| run["environment"].as_str()).collect();
    let count = |place| places.iter().filter(|found| **found == place).count();
    assert_eq!((count(Some("staging")), count(Some("production")), count(None)), (5, 1, 5), "{places:?}");

    for limit in [1, 2, 3, 10] {
        let (mut seen, mut path) = (Vec::new(), format!("/v1/runs?project=p&limit={limit}"));
        loop {
            let page = ana.get(&path).await.ok();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit && seen.len() <= 11, "{path}");
            seen.extend(items.iter().map(|run| run["id"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next"].as_str() else { break };
            path = format!("/v1/runs?project=p&limit={limit}&cursor={cursor}");
        }
        assert_eq!(seen.len(), 11, "{limit} a page");
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first and none twice");
    }
    let staged = ana.get("/v1/runs?project=p&trigger=task").await.ok();
    assert_eq!(staged["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_page_costs_one_read_for_each_source_of_an_environment() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.socket(&ana).await;
    versions(&mut dap, 1).await;
    for number in 0..5 {
        let of = json!({"subcommand": "deploy", "projectId": "p", "teamId": format!("team-{number}"), "version": 1});
        dap.ask("rrext_deploy_pipe", of).await.ok();
        let schedule = json!({"subcommand": "schedule_set", "projectId": "p", "teamId": format!("team-{number}"),
            "sourceId": "timer_1", "schedule": "@daily"});
        dap.ask("rrext_deploy_pipe", schedule).await.ok();
    }
    of_staging(&mut dap, "deploy", json!({"version": 1})).await.ok();
    world.faults.die(None);

    ana.get("/v1/runs?project=p").await.ok();

    let queries = world.faults.calls().iter().filter(|call| call.operation == "Query").count();
    assert_eq!(queries, 1 + 1 + 5, "which slots there are, the project's own, and each slot's");
}
