//! Opening tasks: one for each source, found again by its opener and by no other.

use crate::given::tasks::{caller, echoed};
use crate::given::{chain, echo, run};
use serde_json::{Value, json};
use tidemill_model::task::State;
use tidemill_operations::Code;
use tidemill_testing::{TestPlane, minutes, pipeline};

#[tokio::test]
async fn a_task_has_tokens_of_its_own_and_stands_in_the_history() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;

    let task = ana.open(echo("p")).await.unwrap();

    assert!(task.token.starts_with("tk_") && task.token.len() == 35, "{}", task.token);
    assert!(task.public_token.starts_with("pk_") && task.public_token.len() == 35);
    assert_eq!((task.project.as_str(), task.source.as_str(), task.provider.as_str()), ("p", "webhook_1", "webhook"));
    assert_eq!(task.id, format!("{}.webhook_1", &task.token[3..11]));
    let history = run(&user, &task.run).await;
    assert_eq!((&history["trigger"], &history["state"]), (&json!("task"), &json!("running")));
    assert!(!history.to_string().contains(&task.token[3..]), "no token is in the history");
}

#[tokio::test]
async fn a_source_has_one_task_and_a_second_caller_may_use_it() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let first = ana.open(echo("p")).await.unwrap();

    let refused = ana.open(echo("p")).await.unwrap_err();
    let existing = ana.open_with(json!({"pipeline": echo("p"), "useExisting": true})).await.unwrap();

    assert_eq!(refused.code, Code::AlreadyExists);
    assert_eq!((&existing.token, existing.existing), (&first.token, true));
}

#[tokio::test]
async fn of_twenty_that_open_one_at_once_one_wins() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;

    let opened = futures::future::join_all((0..20).map(|_| ana.open(echo("p")))).await;

    let (won, lost): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|lost| lost.unwrap_err().code == Code::AlreadyExists));
    assert_eq!(ana.tasks().await.len(), 1);
}

#[tokio::test]
async fn a_chosen_token_is_the_callers_own_and_another_owners_is_another_task() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let (bob, _) = caller(&world, "bob").await;
    let input = json!({"pipeline": echo("p"), "token": "UPLOAD_TASK", "useExisting": true});

    let hers = ana.open_with(input.clone()).await.unwrap();
    let his = bob.open_with(input).await.unwrap();

    assert_eq!((hers.token.as_str(), his.token.as_str()), ("UPLOAD_TASK", "UPLOAD_TASK"));
    assert_ne!((&hers.run, &hers.public_token), (&his.run, &his.public_token));
    ana.send("UPLOAD_TASK", "hi").await.unwrap();
    assert_eq!(bob.status("UPLOAD_TASK").await.unwrap().counts.total_count, 0);
}

#[tokio::test]
async fn an_ended_task_makes_room_for_a_new_one() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    for input in [json!({"pipeline": echo("p")}), json!({"pipeline": echo("q"), "token": "mine"})] {
        let first = ana.open_with(input.clone()).await.unwrap();
        ana.end(&first.token).await.unwrap();

        let second = ana.open_with(input).await.unwrap();

        assert_ne!(first.run, second.run);
        assert_eq!(ana.send(&second.token, "hi").await.unwrap().result, echoed("hi"));
    }
}

#[tokio::test]
async fn an_owner_has_a_hundred_open_tasks_at_most() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let (bob, _) = caller(&world, "bob").await;
    let opened = futures::future::join_all((0..110).map(|number| ana.open(echo(&format!("p{number}"))))).await;
    let (won, lost): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 100);
    let refused = lost.into_iter().next().unwrap().unwrap_err();
    assert!(refused.message.contains("100 tasks are open, the limit"), "{}", refused.message);

    bob.open(echo("p0")).await.unwrap();
    ana.end(&won.into_iter().next().unwrap().unwrap().token).await.unwrap();
    ana.open(echo("another")).await.unwrap();

    assert!(ana.open(echo("one more")).await.is_err());
}

#[tokio::test]
async fn a_pipeline_that_cannot_run_is_refused_with_every_problem_and_leaves_nothing() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let bad = json!({"project_id": "p", "components": [{"id": "a", "provider": "nope", "config": {}},
        {"id": "b", "provider": "neither", "config": {}}]});

    let refused = ana.open(bad).await.unwrap_err();

    assert!(refused.details.len() >= 2, "{:?}", refused.details);
    assert!(ana.tasks().await.is_empty());
}

#[tokio::test]
async fn a_pipeline_without_a_project_gets_one_of_its_own() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let mut nameless = echo("p");
    nameless.as_object_mut().unwrap().remove("project_id");
    let mut null = echo("p");
    null["project_id"] = Value::Null;

    for pipeline in [nameless, null] {
        let task = ana.open(pipeline).await.unwrap();

        assert!(task.project.starts_with("task-"), "{}", task.project);
        assert_eq!(ana.send(&task.token, "hi").await.unwrap().result, echoed("hi"));
    }
}

#[tokio::test]
async fn a_source_that_makes_its_own_objects_runs_once_and_the_task_ends_with_it() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;

    let task = ana.open(pipeline("p")).await.unwrap();
    world.settle().await;

    let history = run(&user, &task.run).await;
    assert_eq!((&history["trigger"], &history["state"]), (&json!("task"), &json!("succeeded")));
    assert_eq!(ana.status(&task.token).await.unwrap().state, State::Ended);
    let refused = ana.send(&task.token, "hi").await.unwrap_err();
    assert!(refused.message.contains("makes its own objects"), "{}", refused.message);
    let providers = user.get("/v1/providers").await.ok();
    let waiting = providers["items"].as_array().unwrap().iter().filter(|one| one["class"] == "waiting_source");
    let named: Vec<_> = waiting.map(|one| format!("`{}`", one["name"].as_str().unwrap())).collect();
    let hint = format!("send to a task whose source is {}", named.join(" or "));
    assert_eq!(refused.hint.map(|hint| hint.to_string()), Some(hint));
}

#[tokio::test]
async fn the_variables_that_a_pipeline_names_are_kept_sealed_and_no_others() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let template = json!({"template": "said ${ROCKETRIDE_WORD} and ${ROCKETRIDE_UNSET}"});
    let links = [("webhook", json!({}), "text"), ("template", template, "text"), ("response", json!({}), "")];
    let variables = json!({"ROCKETRIDE_WORD": "open-sesame", "ROCKETRIDE_APIKEY": "not-kept-at-all"});

    let task = ana.open_with(json!({"pipeline": chain("p", &links), "variables": variables})).await.unwrap();

    let stored = world.plane.store.tasks(&"ana".to_owned().try_into().unwrap()).await.unwrap();
    let kept = serde_json::to_string(&stored).unwrap();
    assert!(!kept.contains("open-sesame") && !kept.contains("not-kept"), "{kept}");
    let sent = ana.send(&task.token, "hi").await.unwrap();
    assert_eq!(sent.result["text"], json!(["said open-sesame and ${ROCKETRIDE_UNSET}\n\n"]), "it is no secret");
}

#[tokio::test]
async fn what_is_out_of_range_is_refused_by_name() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    for (field, value) in [("threads", json!(0)), ("threads", json!(65)), ("token", json!("x".repeat(257)))] {
        let mut input = json!({"pipeline": echo("p")});
        input[field] = value;

        let refused = ana.open_with(input).await.unwrap_err();

        assert!(refused.message.contains(field), "{}", refused.message);
    }
    assert_eq!(ana.tasks().await, []);
}

#[tokio::test]
async fn tasks_take_no_turn_of_the_deployment() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    user.deploy(pipeline("p"), "* * * * *").await.ok();
    let task = ana.open(echo("p")).await.unwrap();

    world.advance(minutes(2)).await;

    assert_eq!(user.ticks("p").await, ["ran", "ran"]);
    assert_eq!(ana.send(&task.token, "hi").await.unwrap().result, echoed("hi"));
    assert_eq!(user.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]));
}

#[tokio::test]
async fn a_star_addresses_no_single_task() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;

    let refused = ana.open_with(json!({"pipeline": echo("p"), "token": "*"})).await.unwrap_err();

    assert_eq!((refused.code, &*refused.message), (Code::InvalidArgument, "the token `*` means every task"));
}

#[tokio::test]
async fn a_caller_that_meets_an_ending_task_is_asked_to_wait() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let task = ana.open(echo("p")).await.unwrap();
    let arriving = ana.pipe(&task.token).await.unwrap();
    ana.end(&task.token).await.unwrap();

    let refused = ana.open_with(json!({"pipeline": echo("p"), "useExisting": true})).await.unwrap_err();

    assert_eq!(refused.code, Code::AlreadyExists);
    assert_eq!(
        refused.hint.map(|hint| hint.to_string()).as_deref(),
        Some("wait until it has ended, at most a minute or two")
    );
    drop(arriving);
}

#[tokio::test]
async fn names_and_descriptions_have_limits() {
    let world = TestPlane::new().await;
    let (ana, user) = caller(&world, "ana").await;
    let with = |member: &str, length: usize| {
        let mut pipeline = echo("p");
        pipeline[member] = match member {
            "name" => "ä".repeat(length),
            _ => "d".repeat(length),
        }
        .into();
        pipeline
    };

    let named = json!({"pipeline": echo("p"), "name": "n".repeat(257)});
    let refused = ana.open_with(named).await.unwrap_err();
    assert_eq!((refused.code, &*refused.message), (Code::InvalidArgument, "`name` has 257 characters, over 256"));
    for (member, limit, unit) in [("name", 256, "characters"), ("description", 65_536, "bytes")] {
        let message = format!("`{member}` of the pipeline has {} {unit}, over {limit}", limit + 1);
        assert_eq!(ana.open(with(member, limit + 1)).await.unwrap_err().message, message);
        let deployment = json!({"pipeline": with(member, limit + 1)});
        assert_eq!(user.post("/v1/deployments", deployment).await.body["message"], message);
        let task = ana.open(with(member, limit)).await.unwrap();
        ana.end(&task.token).await.unwrap();
    }
    let mut dap = world.socket(&user).await;
    let add = json!({"subcommand": "add", "kind": "pipe", "pipeline": with("name", 257)});
    let refused = dap.ask("rrext_deploy", add).await.refused();
    assert!(refused.starts_with("`name` of the pipeline has 257 characters"), "{refused}");
}

#[tokio::test]
async fn what_is_too_large_for_the_table_is_named() {
    let world = TestPlane::new().await;
    let (ana, _) = caller(&world, "ana").await;
    let links = [
        ("webhook", json!({}), "text"),
        ("template", json!({"template": "${ROCKETRIDE_X}"}), "text"),
        ("response", json!({}), ""),
    ];
    let variables = json!({"ROCKETRIDE_X": "x".repeat(500_000)});

    let refused = ana.open_with(json!({"pipeline": chain("p", &links), "variables": variables})).await.unwrap_err();

    assert_eq!(
        (refused.code, &*refused.message),
        (Code::TooLarge, "a record would be larger than the table takes, 400 KB")
    );
}
