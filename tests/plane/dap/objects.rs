//! Objects as RocketRide's clients send them: what they announce, and whose pipes they are.

use crate::given::echo;
use crate::given::objects::{close, execute, pipe, write};
use serde_json::{Value, json};
use tidemill_testing::{Dap, TestPlane};

fn opening(token: &str, object: Value) -> Value {
    json!({"subcommand": "open", "token": token, "object": object, "mimeType": "text/plain"})
}

#[tokio::test]
async fn a_size_that_no_object_has_is_refused() {
    let world = TestPlane::new().await;
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
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = execute(&mut dap, echo("p"), json!({})).await;

    for described in [json!([]), json!(["x", 1]), json!("x"), json!(7)] {
        let refused = dap.ask("rrext_process", opening(&token, described)).await.refused();
        assert_eq!(refused, "object must be an object");
    }
}

async fn failed(dap: &mut Dap, token: &str, count: u64) -> bool {
    for _ in 0..1000 {
        let status = dap.ask("rrext_get_task_status", json!({"token": token})).await.ok();
        if status["failedCount"] == count {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn pipes_go_with_the_login_that_opened_them() {
    let world = TestPlane::new().await;
    let (ana, bob) = (world.user("ana").await, world.user("bob").await);
    let mut watcher = world.socket(&ana).await;
    for logs_out in [true, false] {
        let mut dap = world.socket(&ana).await;
        let token = execute(&mut dap, echo(&format!("p-{logs_out}")), json!({})).await;
        let id = pipe(&mut dap, &token).await;
        dap.frame(write(&token, id, "of ana alone")).await;
        dap.reply().ok();

        if logs_out {
            dap.ask("deauth", json!({})).await.ok();
        }
        dap.ask("auth", json!({"auth": bob.key})).await.ok();
        let closing = json!({"subcommand": "close", "pipe_id": id, "token": token});

        let refused = dap.ask("rrext_process", closing).await.refused();
        assert_eq!(refused, format!("Close pipe with id {id} not found"));
        assert!(failed(&mut watcher, &token, 1).await, "what was not whole fails");
    }
}

#[tokio::test]
async fn a_pipe_answers_to_the_token_that_it_was_opened_with() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = execute(&mut dap, echo("p"), json!({})).await;
    let other = execute(&mut dap, echo("q"), json!({})).await;
    let id = pipe(&mut dap, &token).await;

    for wrong in [other.as_str(), "tk_none"] {
        dap.frame(write(wrong, id, "no")).await;
        assert_eq!(dap.reply().refused(), format!("Write pipe with id {id} not found"));
        let closing = json!({"subcommand": "close", "pipe_id": id, "token": wrong});
        let refused = dap.ask("rrext_process", closing).await.refused();
        assert_eq!(refused, format!("Close pipe with id {id} not found"));
    }

    dap.frame(write(&token, id, "yes")).await;
    dap.reply().ok();
    assert_eq!(close(&mut dap, &token, id).await["text"], json!(["yes\n\n"]));
}

#[tokio::test]
async fn data_that_is_not_in_a_binary_frame_is_refused_with_what_to_do() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;
    let token = execute(&mut dap, echo("p"), json!({})).await;
    let id = pipe(&mut dap, &token).await;

    let write = json!({"subcommand": "write", "token": token, "pipe_id": id, "data": "hi"});
    let refused = dap.ask("rrext_process", write).await.refused();

    assert!(refused.contains("binary frame"), "{refused}");
}
