//! How tasks end: what they took is finished, what comes later is refused.

use crate::given::tasks::{Caller, caller, echoed};
use crate::given::{echo, run};
use serde_json::{Value, json};
use tidemill_model::task::State;
use tidemill_operations::Code;
use tidemill_testing::{Death, TestPlane, minutes, pipeline, seconds};

#[tokio::test]
async fn what_was_accepted_finishes_and_new_objects_are_refused() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let task = ana.open_with(json!({"pipeline": echo("p"), "threads": 30})).await.unwrap();
    let pipes = futures::future::join_all((0..30).map(|_| ana.pipe(&task.token))).await;

    let ending = ana.end(&task.token).await.unwrap();

    assert_eq!(ending.state, State::Ending);
    assert_eq!(ana.pipe(&task.token).await.unwrap_err().code, Code::FailedPrecondition);
    for (number, pipe) in pipes.into_iter().enumerate() {
        let pipe = pipe.unwrap();
        pipe.write(format!("object {number}").into()).await;
        let sent = pipe.close().await.unwrap();
        assert_eq!((sent.error, sent.result), (None, echoed(&format!("object {number}"))));
    }
    let status = ana.status(&task.token).await.unwrap();
    assert_eq!((status.state, status.counts.completed_count, status.in_flight), (State::Ended, 30, 0));
    let history = run(&user, &task.run).await;
    assert_eq!((&history["state"], &history["objects"]), (&json!("cancelled"), &json!(30)));
}

#[tokio::test]
async fn a_second_end_and_an_unknown_token_are_refused_and_an_ended_task_is_forgotten() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let (bob, _) = caller(&world, "bob").await;
    let task = ana.open(echo("p")).await.unwrap();

    assert_eq!(bob.end(&task.token).await.unwrap_err().code, Code::NotFound);
    assert_eq!(ana.end("tk_never").await.unwrap_err().code, Code::NotFound);
    ana.end(&task.token).await.unwrap();
    assert_eq!(ana.end(&task.token).await.unwrap_err().code, Code::FailedPrecondition);
    assert_eq!(ana.pipe(&task.token).await.unwrap_err().code, Code::FailedPrecondition);

    world.sleep(seconds(299));
    assert_eq!(ana.status(&task.token).await.unwrap().state, State::Ended);
    world.sleep(seconds(1));
    assert_eq!(ana.status(&task.token).await.unwrap_err().code, Code::NotFound);
    assert_eq!(ana.pipe(&task.token).await.unwrap_err().code, Code::NotFound);
    assert!(ana.tasks().await.is_empty());
}

#[tokio::test]
async fn an_idle_task_ends_and_each_object_puts_that_off() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();
    let patient = ana.open_with(json!({"pipeline": echo("q"), "ttlSeconds": 0})).await.unwrap();

    world.sleep(seconds(899));
    ana.send(&task.token, "hi").await.unwrap();
    world.sleep(seconds(899));
    world.sweep().await;
    assert_eq!(ana.status(&task.token).await.unwrap().state, State::Open);
    world.sleep(seconds(1));
    world.sweep().await;

    assert_eq!(ana.status(&task.token).await.unwrap().state, State::Ended);
    assert_eq!(run(&user, &task.run).await["state"], "succeeded");
    world.sleep(minutes(60 * 24 * 30));
    world.sweep().await;
    assert_eq!(ana.status(&patient.token).await.unwrap().state, State::Open, "it may be idle for ever");
}

#[tokio::test]
async fn a_task_goes_on_after_a_restart() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();
    ana.send(&task.token, "before").await.unwrap();

    let world = world.restarted().await;

    let ana = ana.at(&world);
    assert_eq!(ana.send(&task.token, "after").await.unwrap().result, echoed("after"));
    assert_eq!(ana.status(&task.token).await.unwrap().counts.completed_count, 2);
}

#[tokio::test]
async fn a_task_whose_worker_is_gone_ends_when_it_is_asked_to() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();
    let in_flight = ana.pipe(&task.token).await.unwrap();
    let world = world.restarted().await;
    let ana = ana.at(&world);

    assert_eq!(ana.end(&task.token).await.unwrap().state, State::Ending);
    world.sleep(seconds(29));
    world.sweep().await;
    assert_eq!(ana.status(&task.token).await.unwrap().state, State::Ending, "its worker may be there");
    world.sleep(seconds(1));
    world.sweep().await;

    let status = ana.status(&task.token).await.unwrap();
    assert_eq!((status.state, status.in_flight, status.counts.failed_count), (State::Ended, 0, 1));
    assert_eq!(user.at(&world.plane).get(&format!("/v1/runs/{}", task.run)).await.ok()["state"], "cancelled");
    drop(in_flight);
}

#[tokio::test]
async fn cancelling_its_run_ends_a_task() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();

    let cancelled = user.post(&format!("/v1/runs/{}/cancel", task.run), Value::Null).await.ok();

    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(ana.status(&task.token).await.unwrap().state, State::Ended);
}

/// Opens a task, sends an object and ends the task, as far as it comes.
async fn scene(ana: &Caller) -> Option<()> {
    let input = json!({"pipeline": echo("p"), "useExisting": true});
    let task = ana.open_with(input).await.ok()?;
    ana.send(&task.token, "hi").await.ok()?;
    ana.end(&task.token).await.ok()?;
    Some(())
}

#[tokio::test]
async fn whatever_call_the_process_dies_at_the_task_ends_and_is_counted_out() {
    let mut deaths = 0;
    for call in 0..80 {
        for death in [Death::Before(call), Death::After(call)] {
            let world = TestPlane::new().await;
            let (ana, user) = caller(&world, "ana").await;
            world.faults.die(Some(death));
            scene(&ana).await;
            if !world.faults.is_dead() {
                assert!(deaths > 10, "the scene makes too few calls");
                return;
            }
            deaths += 1;
            world.faults.die(None);
            let world = world.restarted().await;
            world.sleep(seconds(31));
            let ana = ana.at(&world);
            assert!(scene(&ana).await.is_some(), "{death:?}: the second caller gets through");
            world.sweep().await;

            assert!(ana.tasks().await.iter().all(|task| task.state == State::Ended), "{death:?}");
            let runs = user.at(&world.plane).get("/v1/runs?project=p").await.ok();
            let open = runs["items"].as_array().unwrap().iter().filter(|run| run["endedAt"].is_null()).count();
            assert_eq!(open, 0, "{death:?}");
            let health = user.at(&world.plane).post("/v1/doctor", Value::Null).await.ok();
            assert_eq!(health["findings"], json!([]), "{death:?}");
        }
    }
    panic!("the scene makes too many calls");
}

#[tokio::test]
async fn whatever_call_an_end_dies_at_the_run_of_the_task_is_shown() {
    for call in 0..20 {
        for death in [Death::Before(call), Death::After(call)] {
            let world = TestPlane::new().await;
            let (ana, user) = caller(&world, "ana").await;
            let task = ana.open(pipeline("p")).await.unwrap();
            world.faults.die(Some(death));
            let ended = ana.end(&task.token).await;
            if !world.faults.is_dead() {
                assert!(call > 3, "an end makes too few calls");
                return;
            }
            assert!(ended.is_err(), "{death:?}");
            world.faults.die(None);
            // Another process looks at the task before any bell is rung again.
            let status = ana.status(&task.token).await.unwrap();

            let run = user.get(&format!("/v1/runs/{}", task.run)).await.ok();
            let expected = if status.state == State::Open { "queued" } else { "cancelled" };
            assert_eq!(run["state"], expected, "{death:?}: {}", status.state);
            if status.state != State::Open {
                assert_eq!(status.state, State::Ended, "{death:?}");
            }
        }
    }
    panic!("an end makes too many calls");
}

/// Lets the worker of an object look at its task again.
async fn a_sign_of_life_later() {
    tokio::time::sleep(seconds(11)).await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_become_whole_fails_a_minute_after_its_task_was_ended() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();
    let (late, in_time) = (ana.pipe(&task.token).await.unwrap(), ana.pipe(&task.token).await.unwrap());
    late.write("byte by byte".into()).await;
    // Another process is asked.
    ana.at(&world.beside()).end(&task.token).await.unwrap();

    world.sleep(seconds(59));
    a_sign_of_life_later().await;
    in_time.write("hi".into()).await;
    assert_eq!(in_time.close().await.unwrap().result, echoed("hi"));
    assert_eq!(ana.status(&task.token).await.unwrap().state, State::Ending);
    world.sleep(seconds(1));
    a_sign_of_life_later().await;

    let status = ana.status(&task.token).await.unwrap();
    assert_eq!((status.state, status.counts.completed_count, status.counts.failed_count), (State::Ended, 1, 1));
    late.write("more".into()).await;
    let sent = late.close().await.unwrap();
    let error = "the task was ended 60 s ago, and the object was not whole yet";
    assert_eq!((sent.error.as_deref(), &status.errors[0]), (Some(error), &error.to_owned()));
}
