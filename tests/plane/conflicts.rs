//! What DynamoDB refuses and the embedded table never does: writes that meet a transaction, and how it says in one that
//! an item is too large.

use crate::given::tasks::{caller, echoed};
use crate::given::{echo, queued, run};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, pipeline};

/// How DynamoDB refuses a single write while a transaction is at its item.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling>
fn conflict() -> Value {
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
        "message": "Transaction is ongoing for the item",
    })
}

/// How DynamoDB refuses a transaction, with a reason for each item.
fn cancelled(reasons: &[Value]) -> Value {
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    })
}

fn calls(world: &TestPlane, operation: &str) -> usize {
    world.faults.calls().iter().filter(|call| call.operation == operation).count()
}

#[tokio::test]
async fn a_transaction_that_meets_another_one_is_tried_again() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    world.faults.refuse("TransactWriteItems", 6, cancelled(&[json!({"Code": "TransactionConflict"})]));

    ana.deploy(pipeline("p"), "manual").await.ok();
}

#[tokio::test]
async fn a_put_that_meets_a_transaction_is_tried_again() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(echo("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;
    world.faults.refuse("PutItem", 3, conflict());

    world.settle().await;

    assert_eq!(run(&ana, &id).await["state"], "succeeded");
}

#[tokio::test]
async fn an_update_that_meets_a_transaction_is_tried_again() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();
    world.faults.refuse("UpdateItem", 3, conflict());

    let sent = ana.send(&task.token, "hello").await.unwrap();

    assert_eq!(sent.result, echoed("hello"));
}

#[tokio::test]
async fn a_delete_that_meets_a_transaction_is_tried_again() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    ana.put("/v1/secrets/TOKEN", json!({"value": "s"})).await.ok();
    let visitor = world.visits(&ana).await;

    world.faults.refuse("DeleteItem", 3, conflict());
    visitor.leave().await;
    world.faults.refuse("DeleteItem", 3, conflict());
    ana.delete("/v1/secrets/TOKEN").await.ok();

    assert_eq!(world.plane.store.socket(&visitor.connection).await.unwrap(), None);
}

#[tokio::test]
async fn a_write_that_meets_transactions_again_and_again_is_refused_for_now() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.put("/v1/secrets/TOKEN", json!({"value": "s"})).await.ok();
    world.faults.die(None);
    world.faults.refuse("DeleteItem", 100, conflict());

    let answer = ana.delete("/v1/secrets/TOKEN").await;

    answer.refused(503);
    assert_eq!(calls(&world, "DeleteItem"), 8);
}

#[tokio::test]
async fn a_transaction_with_an_item_that_is_too_large_is_refused_as_that() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let message = "Item size has exceeded the maximum allowed size";
    let reasons = [json!({"Code": "None"}), json!({"Code": "ValidationError", "Message": message})];
    world.faults.refuse("TransactWriteItems", 9, cancelled(&reasons));

    ana.deploy(pipeline("p"), "manual").await.refused(413);
}
