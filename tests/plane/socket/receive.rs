//! One frame of a WebSocket of API Gateway: the process that answers it knows nothing of the frames before.

use crate::given::echo;
use serde_json::{Value, json};
use tidemill_model::ids::OwnerId;
use tidemill_testing::{Death, TestPlane, User, Visitor, pipeline, seconds};

async fn given() -> (TestPlane, User, Visitor) {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    let visitor = world.visits(&ana).await;
    (world, ana, visitor)
}

fn owner(name: &str) -> OwnerId {
    OwnerId::parse(name).unwrap()
}

#[tokio::test]
async fn each_frame_is_answered_for_the_user_who_logged_in() {
    let (world, _, mut visitor) = given().await;

    let added = visitor.ask("rrext_deploy_add", json!({"pipeline": pipeline("p"), "schedule": "@daily"})).await.ok();
    let mut elsewhere = visitor.at(&world);
    let listed = elsewhere.ask("rrext_deploy_list", json!({})).await.ok();

    assert_eq!((&added["userId"], &listed["deployments"][0]["schedule"]), (&json!("ana"), &json!("@daily")));
    visitor.ask("rrext_deploy_update", json!({"projectId": "p", "schedule": "manual"})).await.ok();
    assert_eq!(visitor.ask("rrext_deploy_status", json!({"projectId": "p"})).await.ok()["schedule"], "manual");
    visitor.ask("rrext_deploy_remove", json!({"projectId": "p"})).await.ok();
}

#[tokio::test]
async fn a_task_is_used_and_terminated() {
    let (_world, _, mut visitor) = given().await;

    let token = visitor.ask("execute", json!({"pipeline": echo("p"), "token": "UPLOAD"})).await.ok()["token"].clone();

    assert_eq!(token, "UPLOAD");
    assert_eq!(visitor.ask("rrext_get_task_status", json!({"token": token})).await.ok()["state"], 3);
    visitor.ask("terminate", json!({"token": token})).await.ok();
    assert_eq!(visitor.ask("rrext_get_task_status", json!({"token": token})).await.ok()["state"], 6);
}

#[tokio::test]
async fn an_object_is_refused_with_the_ways_it_can_go() {
    let (_world, _, mut visitor) = given().await;
    let token = visitor.ask("execute", json!({"pipeline": echo("p")})).await.ok()["token"].clone();

    let open = json!({"subcommand": "open", "token": token, "object": {}, "mimeType": "text/plain"});
    let refused = visitor.ask("rrext_process", open).await.refused();

    assert!(refused.contains("POST /task/data?token=") && refused.contains("tidemill gateway"), "{refused}");
    assert!(visitor.is_open(), "all else goes on");
    assert_eq!(visitor.ask("rrext_get_task_status", json!({"token": token})).await.ok()["totalCount"], 0);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_with_the_ways_it_can_go() {
    let (_world, _, mut visitor) = given().await;
    let mut large = pipeline("p");
    large["note"] = "x".repeat(140_000).into();

    let refused = visitor.ask("rrext_deploy_add", json!({"pipeline": large})).await.refused();

    assert!(refused.contains("128 KiB") && refused.contains("HTTP API"), "{refused}");
    assert!(visitor.is_open());
}

#[tokio::test]
async fn nothing_is_answered_before_the_login() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    let mut stranger = world.visitor(1).await.unwrap();

    assert_eq!(stranger.ask("rrext_public_probe", json!({})).await.ok()["platform"], "local");
    assert!(stranger.is_open());
    stranger.send("rrext_deploy_list", json!({})).await.unwrap();

    assert!(!stranger.is_open());
}

#[tokio::test]
async fn a_refused_login_closes_the_socket() {
    let world = TestPlane::new().await.behind_api_gateway();
    let mut stranger = world.visitor(1).await.unwrap();

    stranger.send("auth", json!({"auth": "nonsense"})).await.unwrap();

    assert!(!stranger.is_open());
}

#[tokio::test]
async fn a_connection_without_a_login_is_closed_at_its_next_frame_after_five_seconds() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    let (mut early, mut late) = (world.visitor(1).await.unwrap(), world.visitor(1).await.unwrap());
    let mut left = world.visits(&ana).await;
    left.ask("deauth", json!({})).await.ok();

    world.sleep(seconds(4));
    early.ask("auth", json!({"auth": ana.key})).await.ok();
    world.sleep(seconds(1));
    late.send("auth", json!({"auth": ana.key})).await.unwrap();

    assert!(early.is_open() && !late.is_open());
    left.ask("auth", json!({"auth": ana.key})).await.ok();
}

#[tokio::test]
async fn a_revoked_key_can_do_nothing_more() {
    let (world, ana, mut visitor) = given().await;
    ana.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();

    visitor.send("rrext_deploy_list", json!({})).await.unwrap();

    assert!(!visitor.is_open());
    assert!(world.plane.store.watchers(&owner("ana")).await.unwrap().is_empty(), "it is forgotten");
}

#[tokio::test]
async fn a_logout_ends_what_the_login_began() {
    let (world, ana, mut visitor) = given().await;
    visitor.ask("rrext_monitor", json!({"token": "*", "types": ["task"]})).await.ok();

    visitor.ask("deauth", json!({})).await.ok();
    assert!(world.plane.store.watchers(&owner("ana")).await.unwrap().is_empty());
    let bob = world.user("bob").await;
    visitor.ask("auth", json!({"auth": bob.key})).await.ok();

    assert_eq!(world.plane.store.watchers(&owner("bob")).await.unwrap()[0].watches, "");
    ana.deploy(pipeline("p"), "manual").await.ok();
    assert_eq!(visitor.ask("rrext_deploy_list", json!({})).await.ok()["deployments"], json!([]));
    visitor.send("deauth", json!({})).await.unwrap();
    visitor.send("rrext_ping", json!({})).await.unwrap();
    assert!(!visitor.is_open());
}

#[tokio::test]
async fn a_socket_has_five_logins() {
    let (_world, ana, mut visitor) = given().await;
    for _ in 0..4 {
        visitor.ask("deauth", json!({})).await.ok();
        visitor.ask("auth", json!({"auth": ana.key})).await.ok();
    }

    visitor.send("auth", json!({"auth": ana.key})).await.unwrap();

    assert!(!visitor.is_open());
}

#[tokio::test]
async fn two_owners_see_their_own_alone() {
    let (world, _, mut of_ana) = given().await;
    let bob = world.user("bob").await;
    let mut of_bob = world.visits(&bob).await;
    let token = of_ana.ask("execute", json!({"pipeline": echo("p")})).await.ok()["token"].clone();

    for (command, arguments) in [
        ("rrext_get_task_status", json!({"token": token})),
        ("terminate", json!({"token": token})),
        ("rrext_get_pipeline", json!({"token": token})),
        ("rrext_deploy_status", json!({"projectId": "p"})),
    ] {
        of_bob.ask(command, arguments).await.refused();
    }
    assert_eq!(of_bob.ask("rrext_get_tasks", json!({})).await.ok()["tasks"], json!([]));
    assert_eq!(of_ana.ask("rrext_get_task_status", json!({"token": token})).await.ok()["state"], 3);
}

#[tokio::test]
async fn a_tasks_token_is_confined_to_its_task_frame_after_frame() {
    let (world, _, mut of_ana) = given().await;
    let task = of_ana.ask("execute", json!({"pipeline": echo("p")})).await.ok();
    let other = of_ana.ask("execute", json!({"pipeline": echo("q")})).await.ok();
    let mut confined = world.visitor(1).await.unwrap();
    confined.ask("auth", json!({"auth": task["token"]})).await.ok();

    assert_eq!(confined.ask("rrext_get_task_status", json!({})).await.ok()["project_id"], "p");
    confined.ask("rrext_get_task_status", json!({"token": task["token"]})).await.ok();
    confined.ask("rrext_get_task_status", json!({"token": other["token"]})).await.refused();
    confined.ask("rrext_deploy_list", json!({})).await.refused();
}

#[tokio::test]
async fn no_key_is_kept() {
    let (world, ana, visitor) = given().await;

    let kept = format!(
        "{:?} {:?}",
        world.plane.store.socket(&visitor.connection).await.unwrap().unwrap(),
        world.plane.store.watchers(&owner("ana")).await.unwrap()
    );

    assert!(!kept.contains(&ana.key) && kept.contains("ana"), "{kept}");
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_reported_and_closes_no_socket_with_a_login() {
    let (world, ana, mut visitor) = given().await;
    for call in 0..4 {
        world.faults.die(Some(Death::Before(call)));
        let refused = visitor.ask("rrext_deploy_list", json!({})).await.refused();
        assert!(world.faults.is_dead() && refused.contains("try again"), "call {call}: {refused}");
        world.faults.die(None);
        assert!(visitor.is_open());
    }

    let mut stranger = world.visitor(2).await.unwrap();
    world.faults.die(Some(Death::Before(0)));
    stranger.send("auth", json!({"auth": ana.key})).await.unwrap_err();
    world.faults.die(None);
    assert!(!stranger.is_open(), "closed without an answer: the client comes again");
}

#[tokio::test]
async fn a_death_while_a_login_is_written_leaves_no_half_login() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    ana.get("/v1/health").await.ok();
    for call in 0..6 {
        for death in [Death::Before(call), Death::After(call)] {
            let mut visitor = world.visitor(1).await.unwrap();
            world.faults.die(Some(death));
            // Whether the answer could be sent does not matter here.
            let _ = visitor.send("auth", json!({"auth": ana.key})).await;
            world.faults.die(None);

            let socket = world.plane.store.socket(&visitor.connection).await.unwrap();
            let watchers = world.plane.store.watchers(&owner("ana")).await.unwrap();
            let is_watched = watchers.iter().any(|watcher| watcher.id == visitor.connection);
            assert_eq!(socket.is_some(), is_watched, "{death:?}");
            visitor.leave().await;
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_closes_the_socket() {
    for text in ["", "x", "[]", "{}", "{\"seq\":\"1\",\"command\":\"auth\"}"] {
        let (_world, _, visitor) = given().await;

        visitor.frame(text).await.unwrap();

        assert!(!visitor.is_open(), "{text}");
    }
}

#[tokio::test]
async fn a_client_that_is_gone_is_forgotten_at_its_answer() {
    let (world, _, mut visitor) = given().await;
    visitor.vanish();

    visitor.send("rrext_ping", json!({})).await.unwrap();

    assert_eq!(world.plane.store.socket(&visitor.connection).await.unwrap(), None);
    assert!(world.plane.store.watchers(&owner("ana")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_subscription_is_answered_at_once_and_kept() {
    let (world, _, mut visitor) = given().await;
    visitor.ask("execute", json!({"pipeline": echo("p")})).await.ok();

    visitor.send("rrext_monitor", json!({"token": "*", "types": ["task", "summary"]})).await.unwrap();

    let names: Vec<_> = visitor.events().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[..2], ["apaevt_task", "apaevt_status_update"], "{names:?}");
    let watchers = world.plane.store.watchers(&owner("ana")).await.unwrap();
    assert!(watchers[0].watches.contains("is_running"), "{}", watchers[0].watches);
}

#[tokio::test]
async fn many_subscriptions_at_once_are_all_kept() {
    let (world, _, visitor) = given().await;
    let frames = (0..6).map(|number| {
        let arguments = json!({"projectId": format!("p{number}"), "source": "s", "types": ["summary"]});
        json!({"type": "request", "seq": number, "command": "rrext_monitor", "arguments": arguments}).to_string()
    });
    let frames: Vec<_> = frames.collect();

    futures::future::join_all(frames.iter().map(|frame| visitor.frame(frame))).await;

    let watchers = world.plane.store.watchers(&owner("ana")).await.unwrap();
    let kept: Value = serde_json::from_str(&watchers[0].watches).unwrap();
    assert_eq!(kept["watches"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_frame_costs_three_reads_and_writes_nothing() {
    let (world, _, mut visitor) = given().await;

    world.faults.die(None);
    visitor.ask("rrext_ping", json!({})).await.ok();

    let calls = world.faults.calls();
    assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), ["GetItem"; 3]);
}

#[tokio::test]
async fn a_frame_that_takes_too_long_is_refused_before_the_function_is_ended() {
    let (world, _, mut visitor) = given().await;
    let _held = world.faults.hold("Query", 0);

    let mut late =
        visitor.event(Some(json!({"type": "request", "seq": 2, "command": "rrext_deploy_list"}).to_string()));
    late.time = std::time::Duration::from_millis(20);
    tidemill_protocols::dap::api_gateway::receive(&world.plane, late).await.unwrap();
    let refused = visitor.reply().refused();

    assert!(refused.contains("was not answered in time"), "{refused}");
    assert!(visitor.is_open());
}
