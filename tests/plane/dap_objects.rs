//! Objects as RocketRide's clients send them: what they announce, and whose pipes they are.

use crate::given::echo;
use crate::given_objects::execute;
use serde_json::{Value, json};
use tidemill_testing::World;

fn opening(token: &str, object: Value) -> Value {
    json!({"subcommand": "open", "token": token, "object": object, "mimeType": "text/plain"})
}

#[tokio::test]
async fn a_size_that_no_object_has_is_refused() {
    let world = World::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = execute(&mut dap, echo("p"), json!({})).await;

    for size in [json!(-1), json!(1.5), json!(1e30), json!("12"), json!(1_u64 << 63), json!((1_u64 << 40) + 1)] {
        let refused = dap.ask("rrext_process", opening(&token, json!({"size": size}))).await.refused();
        assert!(refused.contains("1099511627776"), "{size}: {refused}");
    }
    for size in [json!(null), json!(0), json!(1_u64 << 40)] {
        dap.ask("rrext_process", opening(&token, json!({"size": size}))).await.ok();
    }

    let status = dap.ask("rrext_get_task_status", json!({"token": token})).await.ok();
    assert_eq!((&status["totalCount"], &status["totalSize"]), (&json!(3), &json!(1_u64 << 40)));
}

#[tokio::test]
async fn what_describes_an_object_is_an_object() {
    let world = World::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = execute(&mut dap, echo("p"), json!({})).await;

    for described in [json!([]), json!(["x", 1]), json!("x"), json!(7)] {
        let refused = dap.ask("rrext_process", opening(&token, described)).await.refused();
        assert_eq!(refused, "object must be an object");
    }
}
