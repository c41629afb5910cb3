//! Notifications on WebSockets of API Gateway, and which sockets are closed. Bells may be lost, doubled and late.

use crate::given::tasks::{Caller, caller};
use crate::given::{chain, deaf, echo};
use serde_json::{Value, json};
use tidemill_model::ids::OwnerId;
use tidemill_operations::Bell;
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{Death, TestPlane, User, Visitor, minutes, seconds};

const ALL: [&str; 3] = ["task", "summary", "output"];

/// A world in which ana watches all of her tasks.
async fn given() -> (TestPlane, Caller, User, Visitor) {
    let world = TestPlane::new().await.behind_api_gateway();
    let (owner, user) = caller(&world, "ana").await;
    let visitor = watching(&world, &user, &ALL).await;
    (world, owner, user, visitor)
}

async fn watching(world: &TestPlane, user: &User, types: &[&str]) -> Visitor {
    let mut visitor = world.visits(user).await;
    visitor.send("rrext_monitor", json!({"token": "*", "types": types})).await.unwrap();
    visitor.events();
    visitor
}

#[tokio::test]
async fn watchers_see_runs_of_a_schedule_and_of_a_hand_as_tasks() {
    let world = TestPlane::new().await.behind_api_gateway();
    let user = world.user("ana").await;
    let mut visitor = world.visits(&user).await;
    let key = json!({"projectId": "p", "source": "webhook_1", "types": ["task", "summary"]});
    visitor.send("rrext_monitor", key).await.unwrap();
    visitor.events();
    user.deploy(echo("p"), "@hourly").await.ok();

    let run = user.post("/v1/deployments/p/runs", json!({"input": "hi"})).await.ok();
    world.settle().await;
    world.advance(seconds(1)).await;
    let of_hand = received(&mut visitor);
    let status = visitor.ask("rrext_get_task_status", json!({"token": run["id"]})).await.ok();
    world.advance(minutes(60)).await;
    world.advance(seconds(1)).await;

    assert!(of_hand.contains(&"begin p".to_owned()) && of_hand.contains(&"end p".to_owned()), "{of_hand:?}");
    assert_eq!((&status["completed"], &status["project_id"]), (&json!(true), &json!("p")), "{status}");
    assert!(received(&mut visitor).contains(&"end p".to_owned()));
}

fn ana() -> OwnerId {
    OwnerId::parse("ana").unwrap()
}

/// The bell of ana's watchers.
async fn ring(world: &TestPlane) {
    world.plane.queue.ring(Bell::Watch { owner: ana() }, std::time::Duration::ZERO).await.unwrap();
}

/// What came since, in short: `begin p`, `status 3`, ...
fn received(visitor: &mut Visitor) -> Vec<String> {
    let short = |(name, body): (String, Value)| match name.as_str() {
        "apaevt_task" => {
            format!("{} {}", body["action"].as_str().unwrap(), body["projectId"].as_str().unwrap_or("at once"))
        }
        "apaevt_status_update" => format!("status {} of {}", body["state"], body["completedCount"]),
        "output" => body["output"].as_str().unwrap().trim().to_owned(),
        other => other.to_owned(),
    };
    visitor.events().into_iter().map(short).collect()
}

#[tokio::test]
async fn watchers_receive_what_happens_to_a_task() {
    let (world, owner, _, mut visitor) = given().await;

    let task = owner.open(chain("p", &[("webhook", json!({}), "text"), ("log", json!({}), "")])).await.unwrap();
    world.settle().await;
    assert_eq!(received(&mut visitor), ["begin p", "status 3 of 0"]);
    owner.send(&task.token, "hi").await.unwrap();
    world.advance(seconds(1)).await;
    assert_eq!(received(&mut visitor), ["status 3 of 1", "hi"]);
    owner.end(&task.token).await.unwrap();
    world.advance(seconds(1)).await;

    assert_eq!(received(&mut visitor), ["end p", "status 6 of 1"]);
    world.advance(minutes(2)).await;
    assert_eq!(received(&mut visitor), [""; 0], "nothing changes any more");
}

#[tokio::test]
async fn each_connection_receives_what_it_subscribed_to() {
    let (world, owner, user, mut all) = given().await;
    let mut tasks = watching(&world, &user, &["task"]).await;
    let mut none = world.visits(&user).await;
    let mut other = world.visits(&user).await;
    other.send("rrext_monitor", json!({"projectId": "q", "source": "webhook_1", "types": ["task"]})).await.unwrap();

    owner.open(echo("p")).await.unwrap();
    world.settle().await;

    assert_eq!(received(&mut all), ["begin p", "status 3 of 0"]);
    assert_eq!(received(&mut tasks), ["begin p"]);
    none.ask("rrext_ping", json!({})).await.ok();
    assert_eq!((received(&mut none), received(&mut other)), (vec![], vec!["running at once".to_owned()]));
}

#[tokio::test]
async fn no_watcher_receives_another_owners_tasks() {
    let (world, owner, _, mut of_ana) = given().await;
    let (bob, user) = caller(&world, "bob").await;
    let mut of_bob = watching(&world, &user, &ALL).await;
    let task = owner.open(echo("p")).await.unwrap();
    of_bob.send("rrext_monitor", json!({"token": task.token, "types": ["summary"]})).await.unwrap();
    of_bob.events();

    owner.send(&task.token, "hi").await.unwrap();
    bob.open(echo("b")).await.unwrap();
    world.advance(seconds(1)).await;

    assert_eq!(received(&mut of_bob), ["begin b", "status 3 of 0"]);
    assert!(!received(&mut of_ana).iter().any(|text| text.ends_with(" b")));
}

#[tokio::test]
async fn many_changes_are_sent_at_most_once_a_second() {
    let (world, owner, _, mut visitor) = given().await;
    let task = owner.open(echo("p")).await.unwrap();
    world.advance(seconds(1)).await;
    received(&mut visitor);

    for _ in 0..10 {
        owner.send(&task.token, "hi").await.unwrap();
        world.settle().await;
    }
    let at_once = received(&mut visitor);
    world.advance(seconds(1)).await;

    assert_eq!(at_once, ["status 3 of 1"]);
    assert_eq!(received(&mut visitor), ["status 3 of 10"]);
}

#[tokio::test]
async fn a_bell_rings_once_for_many_changes_and_never_without_watchers() {
    let (world, owner, _, visitor) = given().await;
    let task = owner.open(echo("p")).await.unwrap();
    for _ in 0..5 {
        owner.send(&task.token, "hi").await.unwrap();
    }
    assert!(world.answer(QueueKind::Sockets).await);
    assert!(!world.answer(QueueKind::Sockets).await, "one bell for all");

    visitor.leave().await;
    world.advance(seconds(2)).await;
    ring(&world).await;
    world.advance(seconds(2)).await;
    owner.send(&task.token, "hi").await.unwrap();

    assert!(!world.answer(QueueKind::Sockets).await);
    assert_eq!(world.plane.store.watching(&ana()).await.unwrap(), None);
}

#[tokio::test]
async fn a_connection_without_subscriptions_causes_no_bell() {
    let (world, owner, _, mut visitor) = given().await;
    visitor.ask("rrext_monitor", json!({"token": "*", "types": []})).await.ok();
    ring(&world).await;
    world.settle().await;

    owner.open(echo("p")).await.unwrap();

    assert!(!world.answer(QueueKind::Sockets).await);
    visitor.ask("rrext_monitor", json!({"token": "*", "types": ["task"]})).await.ok();
    world.advance(seconds(1)).await;
    owner.open(echo("q")).await.unwrap();
    world.settle().await;
    assert_eq!(received(&mut visitor), ["begin q"]);
}

#[tokio::test]
async fn a_lost_bell_is_made_up_for_by_the_next_change_or_the_sweep() {
    let (world, owner, user, mut visitor) = given().await;
    let deaf = owner.on(deaf(&world));
    let task = deaf.open(echo("p")).await.unwrap();
    world.advance(seconds(5)).await;
    assert_eq!(received(&mut visitor), [""; 0]);

    world.sweep().await;
    world.settle().await;
    assert_eq!(received(&mut visitor), ["begin p", "status 3 of 0"]);

    deaf.send(&task.token, "one").await.unwrap();
    world.advance(seconds(11)).await;
    user.post(&format!("/v1/tasks/{}/objects", task.token), json!("two")).await.ok();
    world.settle().await;
    assert_eq!(received(&mut visitor), ["status 3 of 2"]);
}

#[tokio::test]
async fn a_doubled_bell_sends_nothing_twice() {
    let (world, owner, _, mut visitor) = given().await;
    owner.open(echo("p")).await.unwrap();

    for _ in 0..4 {
        ring(&world).await;
        world.advance(seconds(2)).await;
    }

    assert_eq!(received(&mut visitor), ["begin p", "status 3 of 0"]);
}

#[tokio::test]
async fn of_many_calls_at_once_one_notifies() {
    let (world, owner, _, mut visitor) = given().await;
    owner.open(echo("p")).await.unwrap();
    let notify = || tidemill_protocols::dap::api_gateway::notify(&world.plane, Bell::Watch { owner: ana() }, None);

    futures::future::join_all((0..8).map(|_| notify())).await;
    world.advance(seconds(5)).await;

    assert_eq!(received(&mut visitor), ["begin p", "status 3 of 0"]);
}

#[tokio::test]
async fn one_call_notifies_at_a_time_until_its_lease_ends() {
    let (world, owner, _, mut visitor) = given().await;
    owner.open(echo("p")).await.unwrap();
    let seen = world.plane.store.watching(&ana()).await.unwrap().unwrap();
    world.plane.store.begin_notifying(&ana(), &seen, world.now() + minutes_of(1)).await.unwrap();

    world.advance(seconds(59)).await;
    assert_eq!(received(&mut visitor), [""; 0]);
    world.advance(seconds(2)).await;

    assert_eq!(received(&mut visitor), ["begin p", "status 3 of 0"]);
}

#[tokio::test]
async fn a_change_during_a_notification_is_sent_after_it() {
    let (world, owner, _, mut visitor) = given().await;
    let task = owner.open(echo("p")).await.unwrap();
    world.advance(seconds(1)).await;
    received(&mut visitor);
    owner.send(&task.token, "one").await.unwrap();

    // Another call began before the second one came, and has read everything.
    let seen = world.plane.store.watching(&ana()).await.unwrap().unwrap();
    let mine = world.plane.store.begin_notifying(&ana(), &seen, world.now() + minutes_of(1)).await.unwrap();
    owner.send(&task.token, "two").await.unwrap();
    world.plane.store.end_notifying(&ana(), &mine, world.now()).await.unwrap();
    world.advance(seconds(2)).await;

    assert_eq!(received(&mut visitor), ["status 3 of 2"]);
}

fn minutes_of(count: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_mins(count)
}

#[tokio::test]
async fn a_death_at_any_call_loses_no_event() {
    let mut call = 0;
    loop {
        let mut died = false;
        for death in [Death::Before(call), Death::After(call)] {
            let (world, owner, _, mut visitor) = given().await;
            owner.open(echo("p")).await.unwrap();
            world.faults.die(Some(death));
            let _ =
                tidemill_protocols::dap::api_gateway::notify(&world.plane, Bell::Watch { owner: ana() }, None).await;
            died = world.faults.is_dead();
            let world = world.restarted().await;
            world.faults.die(None);

            // The sweep's minute, after which no call holds the right to notify any more.
            world.advance(minutes(2)).await;
            world.sweep().await;
            world.advance(seconds(2)).await;

            let mut all = received(&mut visitor.at(&world));
            all.extend(received(&mut visitor));
            all.dedup();
            assert!(
                all.contains(&"begin p".to_owned()) && all.contains(&"status 3 of 0".to_owned()),
                "{death:?}: {all:?}"
            );
        }
        if !died {
            break;
        }
        call += 1;
    }
    assert!(call > 5, "{call} calls");
}

#[tokio::test]
async fn a_lost_connection_is_forgotten_and_the_others_are_notified() {
    let (world, owner, user, visitor) = given().await;
    let mut other = watching(&world, &user, &["task"]).await;
    visitor.vanish();

    owner.open(echo("p")).await.unwrap();
    world.settle().await;

    assert_eq!(received(&mut other), ["begin p"]);
    let left = world.plane.store.watchers(&ana()).await.unwrap();
    assert_eq!(left.into_iter().map(|watcher| watcher.id).collect::<Vec<_>>(), [other.connection.clone()]);
    assert_eq!(world.plane.store.socket(&visitor.connection).await.unwrap(), None);
}

#[tokio::test]
async fn a_revoked_key_closes_its_sockets_within_a_minute() {
    let (world, _, user, visitor) = given().await;
    let made = user.post("/v1/keys", json!({})).await.ok();
    let other = User::new(world.plane.clone(), made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    let (silent, stays) = (world.visits(&other).await, world.visits(&user).await);

    user.delete(&format!("/v1/keys/{}", other.key_id)).await.ok();
    world.sweep().await;
    world.settle().await;

    assert!(!silent.is_open() && stays.is_open() && visitor.is_open());
    assert_eq!(world.plane.store.socket(&silent.connection).await.unwrap(), None);
}

#[tokio::test]
async fn the_sockets_of_a_task_that_is_gone_are_closed() {
    let (world, owner, _, _visitor) = given().await;
    let task = owner.open(echo("p")).await.unwrap();
    let of_task = world.visits(&User::new(world.plane.clone(), &task.token, "")).await;
    owner.end(&task.token).await.unwrap();

    world.advance(minutes(6)).await;
    world.sweep().await;
    world.settle().await;

    assert!(!of_task.is_open());
}

#[tokio::test]
async fn a_table_that_does_not_answer_closes_no_socket() {
    let (world, owner, _, visitor) = given().await;
    owner.open(echo("p")).await.unwrap();
    for call in 0..8 {
        world.faults.die(Some(Death::Before(call)));
        let _ = tidemill_protocols::dap::api_gateway::notify(&world.plane, Bell::Watch { owner: ana() }, None).await;
        world.faults.die(None);
        world.sleep(minutes(2));
        assert!(visitor.is_open());
    }
}

#[tokio::test]
async fn strangers_are_closed_by_the_sweep_when_no_login_can_still_come() {
    let (world, _, user, known) = given().await;
    let mut early = world.visitor(2).await.unwrap();
    let late = world.visitor(2).await.unwrap();
    early.ask("auth", json!({"auth": user.key})).await.ok();
    world.sleep(seconds(33));
    world.sweep().await;
    world.settle().await;
    assert!(late.is_open(), "a login may still be being answered");

    world.sleep(seconds(1));
    world.sweep().await;
    world.settle().await;

    assert!(!late.is_open() && early.is_open() && known.is_open());
    assert!(world.plane.store.strangers().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_subscription_that_changes_during_a_notification_is_kept() {
    let (world, owner, _, mut visitor) = given().await;
    owner.open(echo("p")).await.unwrap();
    let notify = tidemill_protocols::dap::api_gateway::notify(&world.plane, Bell::Watch { owner: ana() }, None);
    let more = json!({"projectId": "q", "source": "webhook_1", "types": ["task"]});

    let (notified, asked) = futures::join!(notify, visitor.send("rrext_monitor", more));
    notified.unwrap();
    asked.unwrap();

    let watcher = world.plane.store.watchers(&ana()).await.unwrap().remove(0);
    assert!(watcher.watches.contains("webhook_1") && watcher.watches.contains("is_running"), "{}", watcher.watches);
    world.advance(seconds(2)).await;
    owner.open(echo("q")).await.unwrap();
    world.settle().await;
    assert!(received(&mut visitor).contains(&"begin q".to_owned()));
}

#[tokio::test]
async fn where_a_process_holds_its_sockets_nothing_is_rung() {
    let world = TestPlane::new().await;
    let (owner, _) = caller(&world, "ana").await;

    world.faults.die(None);
    owner.open(echo("p")).await.unwrap();

    let asked: Vec<_> = world.faults.calls().into_iter().map(|call| call.request.to_string()).collect();
    assert!(!asked.iter().any(|request| request.contains("W#ana")), "{asked:#?}");
}
