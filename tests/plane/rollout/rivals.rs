//! Many deploys of one group at once: each client gets to its end, and the group is what one of them asked for.

use crate::given::rollouts::{findings, live, rollout, shown};
use futures::future::join_all;
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User};

/// How a client meets a rollout that holds the slot.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Waits,
    Cancels,
}

/// Deploys as clients do: takes the slot, or waits for its holder and tries again. Gives the rollout's end.
async fn deploy(user: &User, manner: Manner, name: String) -> Value {
    loop {
        let begun = user.post("/v1/rollouts", rollout("night", &["a", "b", "c"], &name)).await;
        if begun.status == 202 {
            let id = begun.body["id"].as_str().unwrap().to_owned();
            return ended(user, &id).await;
        }
        assert_eq!(begun.status, 409, "{}", begun.body);
        let holder = begun.body["details"][0]["message"].as_str().unwrap().to_owned();
        if manner == Manner::Cancels {
            user.post(&format!("/v1/rollouts/{holder}/cancel"), Value::Null).await.ok();
        }
        ended(user, &holder).await;
    }
}

async fn ended(user: &User, id: &str) -> Value {
    loop {
        let waited = user.get(&format!("/v1/rollouts/{id}/completion")).await.ok();
        if ["succeeded", "failed", "cancelled"].contains(&waited["state"].as_str().unwrap()) {
            return waited;
        }
    }
}

#[tokio::test]
async fn of_fifty_deploys_half_of_which_cancel_all_end_and_one_is_live() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let manner = |i: usize| if i.is_multiple_of(2) { Manner::Waits } else { Manner::Cancels };
    let clients = join_all((0..50).map(|i| deploy(&ana, manner(i), format!("v{i}"))));
    let worker = async {
        loop {
            world.settle().await;
            tokio::task::yield_now().await;
        }
    };

    let ends = tokio::select! {
        ends = clients => ends,
        never = worker => never,
    };

    let of = |state: &str| ends.iter().filter(|end| end["state"] == state).count();
    assert_eq!((ends.len(), of("succeeded") + of("cancelled")), (50, 50));
    let last = ana.get("/v1/groups/night").await.ok();
    assert_eq!(last["running"], Value::Null, "no slot is left");
    let last = shown(&ana, last["lastRollout"].as_str().unwrap()).await;
    // No deploy is left to cancel the last one, and each project is wholly of one rollout that succeeded or came as far.
    assert!(of("succeeded") >= 1);
    assert_eq!(last["state"], "succeeded", "{last}");
    let mut names = Vec::new();
    for project in ["a", "b", "c"] {
        let version = live(&ana, project).await.expect("it is live");
        let version = ana.get(&format!("/v1/deployments/{project}/versions/{version}")).await.ok();
        names.push(version["pipeline"]["name"].clone());
        assert_eq!(version["rollout"], last["id"], "what is live is the last one's");
    }
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    assert_eq!(findings(&ana).await, json!([]));
}
