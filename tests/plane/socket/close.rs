//! A WebSocket of API Gateway that is gone.

use crate::given::echo;
use serde_json::json;
use tidemill_testing::{Death, TestPlane};

#[tokio::test]
async fn nothing_is_kept_of_it() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    let mut visitor = world.visits(&ana).await;
    visitor.ask("rrext_monitor", json!({"token": "*", "types": ["summary"]})).await.ok();
    let stranger = world.visitor(1).await.unwrap();

    visitor.leave().await;
    stranger.leave().await;

    let store = &world.plane.store;
    assert_eq!(store.socket(&visitor.connection).await.unwrap(), None);
    assert!(store.watchers(&"ana".to_owned().try_into().unwrap()).await.unwrap().is_empty());
    assert!(store.strangers().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_close_may_come_twice_and_for_an_unknown_connection() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    let visitor = world.visits(&ana).await;

    visitor.leave().await;
    visitor.leave().await;
}

#[tokio::test]
async fn a_death_at_any_write_leaves_what_the_next_call_finds() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    for call in 0..4 {
        let visitor = world.visits(&ana).await;
        world.faults.die(Some(Death::Before(call)));
        let died = tidemill_protocols::dap::api_gateway::close(&world.plane, visitor.event(None)).await;
        assert!(died.is_err() && world.faults.is_dead());
        world.faults.die(None);

        visitor.leave().await;

        assert_eq!(world.plane.store.socket(&visitor.connection).await.unwrap(), None, "call {call}");
        assert!(world.plane.store.watchers(&"ana".to_owned().try_into().unwrap()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_task_outlives_the_socket_that_opened_it() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    let mut visitor = world.visits(&ana).await;
    let opened = visitor.ask("execute", json!({"pipeline": echo("p")})).await.ok();
    visitor.leave().await;

    let mut next = world.visits(&ana).await;

    let status = next.ask("rrext_get_task_status", json!({"token": opened["token"]})).await.ok();
    assert_eq!(status["state"], 3);
}
