//! Writes that happened and whose answer was lost on its way: the table is asked again, and nothing happens twice.

use crate::given::tasks::{caller, echoed};
use crate::given::{echo, queued, run, stored};
use jiff::SignedDuration;
use serde_json::json;
use tidemill_model::lease::Lease;
use tidemill_model::run::Run;
use tidemill_model::task::State;
use tidemill_store::Part;
use tidemill_testing::{TestPlane, minutes};

#[tokio::test]
async fn an_object_whose_updates_lose_their_answers_is_counted_once() {
    // The first update accepts the object, the second one counts its end.
    for (before, lost) in [(0, 1), (0, 2), (1, 1), (1, 2)] {
        let world = TestPlane::new().await;
        let (ana, _) = caller(&world, "ana").await;
        let task = ana.open(echo("p")).await.unwrap();
        let hold = world.faults.hold("UpdateItem", before);
        let lose = async {
            hold.arrived().await;
            world.faults.lose("UpdateItem", lost);
            hold.release();
        };

        let (sent, ()) = futures::join!(ana.send(&task.token, "hello"), lose);

        assert_eq!((sent.as_ref().unwrap().error.clone(), sent.unwrap().result), (None, echoed("hello")));
        let status = json!(ana.status(&task.token).await.unwrap());
        let counts = ["totalCount", "completedCount", "failedCount", "totalSize"].map(|field| &status[field]);
        assert_eq!(counts, [1, 1, 0, 2], "{lost} answers lost from update {before} on");
        ana.end(&task.token).await.unwrap();
        assert_eq!(ana.status(&task.token).await.unwrap().state, State::Ended, "none is in flight");
    }
}

#[tokio::test]
async fn a_put_that_meets_its_own_write_has_happened() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(echo("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    // The end of a run is a single put.
    world.faults.lose("PutItem", 1);
    world.settle().await;

    let ended = run(&ana, &id).await;
    assert_eq!((&ended["state"], &ended["attempt"]), (&json!("succeeded"), &json!(1)));
    world.advance(minutes(5)).await;
    assert_eq!(run(&ana, &id).await, ended);
}

#[tokio::test]
async fn a_put_that_meets_the_write_of_another_one_is_rejected_also_after_a_lost_answer() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(echo("p"), "manual").await.ok();
    let before = stored(&world, &queued(&ana, "p").await).await;
    let claimed_by = |holder: &str| {
        let lease = Lease { holder: holder.to_owned(), until: world.now() + SignedDuration::from_secs(30) };
        Run { epoch: before.epoch + 1, lease: Some(lease), ..before.clone() }
    };
    let claim = |after| world.plane.store.transaction().claim_run(&before, after).unwrap().commit();
    claim(claimed_by("other")).await.unwrap();

    world.faults.lose("PutItem", 1);
    let claimed = claim(claimed_by("this")).await;

    assert!(claimed.is_err_and(|error| error.rejects(Part::Run)));
}

#[tokio::test]
async fn a_restart_that_loses_its_answer_counts_once() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();

    world.faults.lose("UpdateItem", 1);
    ana.restart(&task.token, echo("p")).await.unwrap();

    assert_eq!(ana.status(&task.token).await.unwrap().restarts, 1);
}
