//! The table on the emulator's DynamoDB: of many that write at once, one has its condition met.

use crate::{clients, deployment, fresh, owner};
use futures::future::join_all;
use tidemill_model::deployment::Deployment;
use tidemill_store::{Error, Part, Store};

const WRITERS: usize = 40;

async fn store() -> Store {
    let store = Store::new(clients().await.dynamodb(), fresh("table"));
    store.create_table().await.expect("a table can be made");
    store
}

/// Counts the winners; every other write must have been rejected, because the deployment had moved on.
fn winners(written: Vec<Result<(), Error>>) -> usize {
    let lost = |result: &&Result<(), Error>| match result {
        Ok(()) => true,
        Err(Error::Rejected(parts)) => {
            assert_eq!(parts, &[Part::Deployment]);
            false
        }
        Err(error) => panic!("{error}"),
    };
    written.iter().filter(lost).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs an emulator"]
async fn of_many_adds_at_once_one_wins() {
    let store = store().await;
    let new = deployment("p", "manual");

    let written = join_all((0..WRITERS).map(|_| async { store.transaction().new_deployment(&new)?.commit().await }));

    assert_eq!(winners(written.await), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs an emulator"]
async fn of_many_changes_to_one_revision_one_wins() {
    let store = store().await;
    let before = deployment("p", "manual");
    store.transaction().new_deployment(&before).unwrap().commit().await.unwrap();

    // Another record in the same transaction makes it one in DynamoDB's sense, too.
    let change = |number: u32| {
        let (store, before) = (&store, &before);
        async move {
            let after = Deployment { revision: 2, version: number, ..before.clone() };
            let other = deployment(&format!("other-{number}"), "manual");
            store.transaction().deployment(&after, 1)?.new_deployment(&other)?.commit().await
        }
    };
    let written = join_all((0..WRITERS as u32).map(change)).await;

    assert_eq!(winners(written), 1);
    let listed = store.deployments(&owner("ana"), None, 100).await.unwrap();
    assert_eq!(listed.items.len(), 2, "the losers wrote nothing");
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn an_empty_table_has_no_owners() {
    assert!(store().await.owners().await.unwrap().is_empty());
}
