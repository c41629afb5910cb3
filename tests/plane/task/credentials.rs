//! A task's tokens as credentials: each is for its task alone, and no longer than the task is there.

use crate::given::echo;
use crate::given::tasks::{Caller as Opener, caller as opener};
use serde_json::json;
use tidemill_model::key::Scope;
use tidemill_operations::access::{self, caller::Caller};
use tidemill_operations::{Code, Error};
use tidemill_testing::{TestPlane, minutes};

async fn with(world: &TestPlane, credential: &str) -> Result<Caller, Error> {
    access::caller::of(&world.plane, Some(credential)).await
}

fn refused(caller: &Caller, scope: Scope, task: Option<&str>) -> Code {
    caller.call(scope, task).unwrap_err().code
}

async fn ana(world: &TestPlane) -> Opener {
    opener(world, "ana").await.0
}

#[tokio::test]
async fn a_tasks_own_token_may_do_all_that_concerns_it_and_nothing_else() {
    let world = TestPlane::new().await;
    let ana = ana(&world).await;
    let (task, other) = (ana.open(echo("p")).await.unwrap(), ana.open(echo("q")).await.unwrap());

    let caller = with(&world, &format!("Bearer {}", task.token)).await.unwrap();

    for scope in [Scope::Control, Scope::Monitor, Scope::Data] {
        assert_eq!(caller.call(scope, Some(&task.token)).unwrap().owner.as_str(), "ana");
        assert_eq!(refused(&caller, scope, Some(&other.token)), Code::PermissionDenied);
        assert_eq!(refused(&caller, scope, None), Code::PermissionDenied);
    }
    assert_eq!(refused(&caller, Scope::Admin, Some(&task.token)), Code::PermissionDenied);
    assert_eq!(caller.task(None), Some(task.token));
}

#[tokio::test]
async fn a_public_token_may_only_send_objects_to_its_task() {
    let world = TestPlane::new().await;
    let ana = ana(&world).await;
    let (task, other) = (ana.open(echo("p")).await.unwrap(), ana.open(echo("q")).await.unwrap());

    let caller = with(&world, &task.public_token).await.unwrap();

    assert!(caller.call(Scope::Data, Some(&task.token)).is_ok());
    assert_eq!(refused(&caller, Scope::Data, Some(&other.token)), Code::PermissionDenied);
    assert_eq!(refused(&caller, Scope::Data, None), Code::PermissionDenied);
    assert_eq!(refused(&caller, Scope::Monitor, Some(&task.token)), Code::PermissionDenied);
    assert_eq!(refused(&caller, Scope::Control, Some(&task.token)), Code::PermissionDenied);
    assert_eq!(caller.task(Some(&task.public_token)), Some(task.token));
}

#[tokio::test]
async fn the_tokens_of_a_task_that_is_gone_are_the_tokens_of_none() {
    let world = TestPlane::new().await;
    let ana = ana(&world).await;
    let task = ana.open(echo("p")).await.unwrap();

    ana.end(&task.token).await.unwrap();
    assert!(with(&world, &task.token).await.is_ok(), "an ended task can be asked about for a while");
    world.sleep(minutes(6));

    for token in [&task.token, &task.public_token, "tk_00000000000000000000000000000000", "pk_"] {
        assert_eq!(with(&world, token).await.unwrap_err().code, Code::NotFound, "{token}");
    }
}

#[tokio::test]
async fn a_public_token_is_not_that_of_the_next_task_under_the_same_text() {
    let world = TestPlane::new().await;
    let ana = ana(&world).await;
    let chosen = json!({"pipeline": echo("p"), "token": "UPLOAD_TASK"});
    let first = ana.open_with(chosen.clone()).await.unwrap();
    ana.end("UPLOAD_TASK").await.unwrap();

    let second = ana.open_with(chosen).await.unwrap();

    assert_eq!(with(&world, &first.public_token).await.unwrap_err().code, Code::NotFound);
    assert!(with(&world, &second.public_token).await.is_ok());
}

#[tokio::test]
async fn a_token_of_ones_own_choice_is_no_credential() {
    let world = TestPlane::new().await;
    let ana = ana(&world).await;
    ana.open_with(json!({"pipeline": echo("p"), "token": "tk_mine"})).await.unwrap();

    assert_eq!(with(&world, "tk_mine").await.unwrap_err().code, Code::NotFound);
    ana.end("tk_mine").await.unwrap();
    assert_eq!(with(&world, "tk_mine").await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn choosing_the_token_of_another_owner_does_not_take_it_over() {
    let world = TestPlane::new().await;
    let (ana, bob) = (ana(&world).await, opener(&world, "bob").await.0);
    let hers = ana.open(echo("p")).await.unwrap();

    bob.open_with(json!({"pipeline": echo("p"), "token": hers.token})).await.unwrap();
    bob.end(&hers.token).await.unwrap();

    let caller = with(&world, &hers.token).await.unwrap();
    assert_eq!(caller.call(Scope::Data, Some(&hers.token)).unwrap().owner.as_str(), "ana");
}

#[tokio::test]
async fn a_tasks_tokens_end_with_the_key_that_it_was_opened_with() {
    let world = TestPlane::new().await;
    let (ana, user) = opener(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();

    world.user("ana").await.delete(&format!("/v1/keys/{}", user.key_id)).await.ok();

    for token in [&task.token, &task.public_token] {
        assert_eq!(with(&world, token).await.unwrap_err().code, Code::Unauthenticated);
    }
}

#[tokio::test]
async fn a_key_is_still_a_key() {
    let world = TestPlane::new().await;
    let sender = world.user_with("ana", &[Scope::Data]).await;

    let caller = with(&world, &sender.key).await.unwrap();

    assert!(caller.call(Scope::Data, Some("any")).is_ok());
    assert_eq!(refused(&caller, Scope::Control, Some("any")), Code::PermissionDenied);
    assert_eq!(access::caller::of(&world.plane, None).await.unwrap_err().code, Code::Unauthenticated);
}
