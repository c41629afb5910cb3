//! Lists and sweeps over very many records: what they ask of the table is counted.

use crate::given::tasks::caller;
use crate::given::{echo, queued};
use futures::StreamExt;
use serde_json::{Value, json};
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_operations::plane;
use tidemill_testing::{Metered, TestPlane, User, minutes, pipeline, seconds};

const REMOVED: usize = 3_000;

/// Calls of an operation since the last look at them.
fn calls(world: &TestPlane, operation: &str) -> Vec<Metered> {
    let calls = world.faults.calls().into_iter().filter(|call| call.operation == operation).collect();
    world.faults.die(None);
    calls
}

/// Ana with thousands of removed projects, and a live one whose name comes after theirs.
async fn with_removed_ones(world: &TestPlane) -> User {
    let ana = world.user("ana").await;
    ana.deploy(pipeline("gone"), "manual").await.ok();
    ana.delete("/v1/deployments/gone").await.ok();
    let owner = OwnerId::parse("ana").unwrap();
    let gone = world.plane.store.deployment(&owner, &ProjectId::parse("gone").unwrap().into()).await.unwrap().unwrap();
    let more = (0..REMOVED).map(|number| {
        let project = ProjectId::parse(format!("gone-{number:04}")).unwrap();
        let removed = Deployment { id: project.into(), ..gone.clone() };
        async move { world.plane.store.transaction().new_deployment(&removed).unwrap().commit().await.unwrap() }
    });
    futures::stream::iter(more).buffer_unordered(16).collect::<()>().await;
    ana.deploy(pipeline("last"), "manual").await.ok();
    ana
}

fn projects(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["project"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_list_passes_thousands_of_removed_ones_in_whole_pages() {
    let world = TestPlane::new().await;
    let ana = with_removed_ones(&world).await;

    for query in ["", "?limit=1", "?name=LAST", "?state=active&limit=1"] {
        world.faults.die(None);
        let page = ana.get(&format!("/v1/deployments{query}")).await.ok();

        assert_eq!((projects(&page), &page["next"]), (vec!["last"], &Value::Null), "{query}");
        let queries = calls(&world, "Query").len();
        assert!(queries <= 8, "{queries} queries for `{query}`");
    }
}

#[tokio::test]
async fn a_list_that_passes_too_many_answers_with_a_cursor() {
    let world = TestPlane::new().await;
    let ana = with_removed_ones(&world).await;
    // Pages of one, four, sixteen and so on, and none is filled: the tenth ends far behind them.
    let mut path = "/v1/deployments?limit=1&name=none".to_owned();
    let mut answers = 0;
    loop {
        let page = ana.get(&path).await.ok();
        assert!(projects(&page).is_empty());
        answers += 1;
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/deployments?limit=1&name=none&cursor={next}"),
            None => break,
        }
    }
    assert!(answers <= 2, "{answers} answers");
}

#[tokio::test]
async fn a_sweep_reads_no_run_that_ended_a_while_ago_nor_any_for_what_is_removed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for project in ["a", "b", "c", "removed"] {
        ana.deploy(echo(project), "manual").await.ok();
        queued(&ana, project).await;
    }
    world.settle().await;
    ana.delete("/v1/deployments/removed").await.ok();
    world.sweep().await;
    world.faults.die(None);

    world.sweep().await;
    let runs = |calls: Vec<Metered>| calls.iter().filter(|call| call.request.to_string().contains("run#")).count();
    assert_eq!(runs(calls(&world, "GetItem")), 4, "those that ended just now may have a successor whose bell is lost");

    world.sleep(minutes(11));
    world.sweep().await;
    world.faults.die(None);
    world.sweep().await;

    let calls = world.faults.calls();
    assert_eq!(runs(calls.clone()), 0);
    assert!(calls.len() <= 6, "as many as without deployments: {}", calls.len());
    queued(&ana, "a").await;
    world.settle().await;
    assert_eq!(ana.runs("a").await[0]["state"], "succeeded");
}

#[tokio::test]
async fn a_sweep_reads_the_tasks_that_are_open_and_none_that_ended() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    for _ in 0..9 {
        let task = ana.open(echo("p")).await.unwrap();
        ana.end(&task.token).await.unwrap();
    }
    world.sweep().await;
    world.faults.die(None);
    world.sweep().await;
    assert!(
        !json!(world.faults.calls().iter().map(|call| &call.request).collect::<Vec<_>>()).to_string().contains("task#")
    );

    let open = ana.open(echo("p")).await.unwrap();
    world.faults.die(None);
    world.sleep(minutes(20));
    world.sweep().await;

    let read = calls(&world, "BatchGetItem");
    let keys = read.iter().map(|call| call.request["RequestItems"]["tidemill"]["Keys"].as_array().unwrap().len());
    assert_eq!(keys.sum::<usize>(), 1);
    assert_eq!(json!(ana.status(&open.token).await.unwrap().state), json!("ended"), "it was idle for too long");
}

#[tokio::test]
async fn a_sweep_finds_the_open_tasks_that_an_earlier_version_left_out_of_the_index() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let open = ana.open(echo("p")).await.unwrap();
    world
        .rewrite(|item| {
            if item["sk"].as_s().unwrap().starts_with("task#") {
                item.remove("ro").expect("it is in the index");
            }
        })
        .await;

    world.sleep(minutes(20));
    let swept = plane::sweep::run(&world.plane).await.unwrap();

    assert_eq!(swept.tasks_ended, 1);
    assert_eq!(json!(ana.status(&open.token).await.unwrap().state), json!("ended"));
}

/// Owners with a tick each that is due and whose bell was lost.
async fn owners_with_due_ticks(world: &TestPlane, count: usize) -> Vec<User> {
    let mut owners = Vec::new();
    for number in 0..count {
        let user = world.user(&format!("owner-{number:02}")).await;
        user.deploy(pipeline("p"), "* * * * *").await.ok();
        owners.push(user);
    }
    world.sleep(minutes(3));
    owners
}

async fn ran(owners: &[User]) -> usize {
    let mut ran = 0;
    for owner in owners {
        ran += usize::from(!owner.runs("p").await.is_empty());
    }
    ran
}

#[tokio::test]
async fn a_sweep_that_runs_out_of_time_goes_on_where_it_stopped() {
    let world = TestPlane::new().await;
    let owners = owners_with_due_ticks(&world, 40).await;
    let world = world.without_bells().await;
    let owners: Vec<User> = owners.iter().map(|owner| owner.at(&world.plane)).collect();
    // The table takes a minute to answer, somewhere on the way.
    let hold = world.faults.hold("Query", 12);
    let slow = async {
        hold.arrived().await;
        world.sleep(seconds(55));
        hold.release();
    };
    futures::join!(world.sweep(), slow);
    world.settle().await;
    let first = ran(&owners).await;
    assert!((1..40).contains(&first), "{first} owners were reached in time");

    let begins_behind_an_owner = || {
        let read = calls(&world, "Query").into_iter().map(|call| call.request.to_string());
        read.filter(|request| request.contains("OWNERS")).any(|request| request.contains("owner-"))
    };
    world.faults.die(None);
    world.sweep().await;
    assert!(begins_behind_an_owner(), "the next sweep goes on");
    world.settle().await;
    assert_eq!(ran(&owners).await, 40, "and reaches the others");
    world.faults.die(None);
    world.sweep().await;
    assert!(!begins_behind_an_owner(), "the one after that begins with the first owner");
}

#[tokio::test]
async fn a_sweep_whose_process_dies_after_a_while_is_not_begun_anew_by_the_next_one() {
    let world = TestPlane::new().await;
    let owners = owners_with_due_ticks(&world, 40).await;
    let world = world.without_bells().await;
    let owners: Vec<User> = owners.iter().map(|owner| owner.at(&world.plane)).collect();
    let hold = world.faults.hold("Query", 12);
    let dying = async {
        hold.arrived().await;
        world.sleep(seconds(12));
        hold.release();
        let hold = world.faults.hold("PutItem", 0);
        hold.arrived().await;
        hold.release();
        let next = world.faults.hold("Query", 8);
        next.arrived().await;
    };
    let sweep = async {
        tokio::select! {
            _ = plane::sweep::run(&world.plane) => panic!("it ends before its process dies"),
            () = dying => {}
        }
    };
    sweep.await;
    let world = world.without_bells().await;
    let before = world.plane.store.sweep_cursor().await.unwrap().expect("it noted how far it was");

    world.sweep().await;
    world.settle().await;

    let reached: Vec<bool> = {
        let mut reached = Vec::new();
        for owner in &owners {
            reached.push(ran(&[owner.at(&world.plane)]).await > 0);
        }
        reached
    };
    let after = before.to_string().trim_start_matches("owner-").parse::<usize>().unwrap() + 1;
    assert!(reached[after..].iter().all(|reached| *reached), "{after}: {reached:?}");
}

#[tokio::test]
async fn a_plane_that_starts_looks_at_every_owner() {
    let world = TestPlane::new().await;
    let owners = owners_with_due_ticks(&world, 3).await;
    world.plane.store.note_sweep_cursor(Some(&OwnerId::parse("owner-01").unwrap())).await.unwrap();

    let world = world.restarted().await;
    world.settle().await;

    let owners: Vec<User> = owners.iter().map(|owner| owner.at(&world.plane)).collect();
    assert_eq!(ran(&owners).await, 3);
}
