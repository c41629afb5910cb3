//! How rollouts are carried out: every pipeline wholly or not at all, once, whatever happens to their workers.

use crate::given::rollouts::{begin, broken, did, findings, live, roll_out, rollout, shown, wanted};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{Death, TestPlane, minutes, pipeline, seconds};

#[tokio::test]
async fn what_has_not_changed_makes_no_version_and_what_is_gone_is_pruned() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a", "b", "c"], "old")).await;
    let mut request = rollout("night", &["a", "b"], "old");
    request["pipelines"][1] = wanted("b", "new");

    let done = roll_out(&world, &ana, request).await;

    assert_eq!(did(&done), ["unchanged a applied", "update b applied", "delete c applied"]);
    assert_eq!((live(&ana, "a").await, live(&ana, "b").await, live(&ana, "c").await), (Some(1), Some(2), None));
    assert_eq!(findings(&ana).await, json!([]));
}

#[tokio::test]
async fn what_the_plane_stopped_is_active_again_under_the_key_of_the_rollout() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let other = world.user("ana").await;
    let mut request = rollout("night", &["a"], "old");
    request["pipelines"][0]["schedule"] = "* * * * *".into();
    roll_out(&world, &ana, request.clone()).await;
    other.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();
    world.advance(minutes(1)).await;
    assert_eq!(other.get("/v1/deployments/a").await.ok()["state"], "errored");

    let preview = other.post("/v1/rollouts/preview", request.clone()).await.ok();
    let done = roll_out(&world, &other, request).await;
    world.advance(minutes(1)).await;

    assert_eq!(preview["items"][0]["action"], "update", "{preview}");
    assert_eq!(did(&done), ["update a applied"]);
    let live = other.get("/v1/deployments/a").await.ok();
    assert_eq!((&live["state"], &live["version"]), (&json!("active"), &json!(1)));
    assert_eq!(other.ticks("a").await, ["skipped(errored)", "ran"]);
}

#[tokio::test]
async fn a_rollout_that_changes_nothing_takes_over_the_key() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let other = world.user("ana").await;
    let mut request = rollout("night", &["a"], "old");
    request["pipelines"][0]["schedule"] = "* * * * *".into();
    roll_out(&world, &ana, request.clone()).await;

    let done = roll_out(&world, &other, request).await;
    other.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!(did(&done), ["unchanged a applied"]);
    assert_eq!(other.ticks("a").await, ["ran"]);
}

#[tokio::test]
async fn what_is_gone_may_stay_in_the_group_or_without_it() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a", "b"], "old")).await;
    let request = |gone: &str| json!({"group": "night", "gone": gone, "pipelines": [wanted("a", "old")]});

    let left = roll_out(&world, &ana, request("leave")).await;
    let kept = roll_out(&world, &ana, request("keep")).await;

    assert_eq!(did(&left), ["unchanged a applied"]);
    assert_eq!(did(&kept), ["unchanged a applied", "detach b applied"]);
    assert_eq!(live(&ana, "b").await, Some(1));
    assert_eq!(ana.get("/v1/deployments/b").await.ok()["group"], Value::Null);
    assert_eq!(did(&roll_out(&world, &ana, request("prune")).await), ["unchanged a applied"]);
}

#[tokio::test]
async fn a_pipeline_under_another_name_of_its_group_is_not_taken_off() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let named =
        |id: &str| json!({"group": "night", "gone": "prune", "pipelines": [{"id": id, "pipeline": pipeline("a")}]});
    roll_out(&world, &ana, named("first")).await;

    let done = roll_out(&world, &ana, named("second")).await;

    assert_eq!(did(&done), ["unchanged a applied", "detach a applied"]);
    assert_eq!(live(&ana, "a").await, Some(1));
    let members = ana.get("/v1/groups/night").await.ok()["members"].clone();
    assert_eq!(members, json!([{"logicalId": "second", "type": "pipeline", "project": "a"}]));
}

#[tokio::test]
async fn a_project_of_another_group_fails_the_rollout_before_anything_changes() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a"], "old")).await;
    roll_out(&world, &ana, rollout("day", &["b", "old"], "old")).await;

    let failed = roll_out(&world, &ana, rollout("day", &["b", "a"], "new")).await;

    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("conflict")));
    assert!(failed["error"]["message"].as_str().unwrap().contains("belongs to the group `night`"), "{failed}");
    assert_eq!(did(&failed), ["- b not_reached", "- a failed", "- old not_reached"]);
    assert_eq!(seen(&ana, &["a", "b", "old"]).await, [Some(1), Some(1), Some(1)]);
    assert_eq!(findings(&ana).await, json!([]));
}

#[tokio::test]
async fn what_becomes_impossible_on_the_way_stops_the_rest() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let projects: Vec<String> = (0..20).map(|i| format!("p{i:02}")).collect();
    let names: Vec<&str> = projects.iter().map(String::as_str).collect();
    let mut request = rollout("day", &names, "new");
    request["createOnly"] = true.into();
    let id = begin(&ana, request).await;
    let hold = world.faults.hold("TransactWriteItems", 0);
    let meanwhile = async {
        hold.arrived().await;
        ana.deploy(pipeline("p12"), "manual").await.ok();
        hold.release();
    };

    futures::join!(meanwhile, world.answer(QueueKind::Rollouts));

    let failed = shown(&ana, &id).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("resource_failed")));
    assert!(
        failed["error"]["message"].as_str().unwrap().contains("`p12`: project `p12` is deployed already"),
        "{failed}"
    );
    let did = did(&failed);
    assert_eq!((did.len(), did[12].as_str(), did[16].as_str()), (20, "- p12 failed", "- p16 not_reached"));
    assert_eq!(seen(&ana, &["p00", "p12", "p15", "p16"]).await, [Some(1), Some(1), Some(1), None]);
    assert!(failed["progress"].as_u64().unwrap() < 100);
    assert_eq!(findings(&ana).await, json!([]));
}

/// Otherwise the project that had the id before would go on and answer to no id.
#[tokio::test]
async fn an_id_of_a_group_stays_with_its_project() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let of = |id: &str, project: &str| {
        let mut one = wanted(project, "x");
        one["id"] = id.into();
        json!({"group": "night", "pipelines": [one], "gone": "prune"})
    };
    roll_out(&world, &ana, of("digest", "before")).await;

    let preview = ana.post("/v1/rollouts/preview", of("digest", "after")).await.ok();
    let failed = roll_out(&world, &ana, of("digest", "after")).await;
    let moved = roll_out(&world, &ana, of("second", "after")).await;

    let why = "`digest` is the project `before` in the group `night`";
    assert!(preview["items"][0]["problem"].as_str().unwrap().starts_with(why), "{preview}");
    assert!(failed["error"]["message"].as_str().unwrap().contains(why), "{failed}");
    assert_eq!(did(&failed), ["- after failed"]);
    assert_eq!(did(&moved), ["create after applied", "delete before applied"]);
    // When the project is not deployed any more, its id is free.
    ana.delete("/v1/deployments/after").await.ok();
    assert_eq!(roll_out(&world, &ana, of("second", "third")).await["state"], "succeeded");
}

#[tokio::test]
async fn the_list_of_many_problems_is_bounded() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let of = |number: usize| {
        let mut one = broken(&format!("p{number}"));
        one["pipeline"]["components"][0]["provider"] = "x".repeat(3_000).into();
        one
    };
    let pipelines: Vec<Value> = (0..200).map(of).collect();

    let refused = ana.post("/v1/rollouts", json!({"group": "night", "pipelines": pipelines})).await;
    let names: Vec<String> = (0..50).map(|number| format!("{number}{}", "x".repeat(90))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    roll_out(&world, &ana, rollout("day", &names, "x")).await;
    let failed = roll_out(&world, &ana, rollout("night", &names, "x")).await;

    assert_eq!(refused.body["message"], "200 pipelines have 200 problems");
    assert_eq!(refused.body["details"].as_array().unwrap().len(), 101);
    assert_eq!(refused.refused(400), "invalid_argument");
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("conflict")));
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("50 pipelines have 50 problems") && message.len() < 9_000, "{}", message.len());
    assert!(failed["items"].as_array().unwrap().iter().all(|item| item["message"].as_str().unwrap().len() < 5_000));
}

#[tokio::test]
async fn an_unreadable_rollout_is_given_up_and_its_slot_is_free() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a"], "x")).await;
    world.lose(&format!("R#{id}"), "body#").await;

    for _ in 0..8 {
        world.settle().await;
        world.sleep(seconds(61));
        world.sweep_as_another().await;
    }

    let failed = shown(&ana, &id).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("worker_died")));
    assert_eq!(roll_out(&world, &ana, rollout("night", &["a"], "x")).await["state"], "succeeded");
}

#[tokio::test]
async fn a_slot_whose_holder_is_not_there_is_free() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for group in ["night", "day"] {
        begin(&ana, rollout(group, &[group], "x")).await;
    }
    world.lose("O#ana", "rollout#").await;

    let found = findings(&ana).await;
    let again = roll_out(&world, &ana, rollout("night", &["night"], "x")).await;
    world.sweep().await;

    assert_eq!(found.as_array().unwrap().len(), 2, "{found}");
    assert!(found[0]["message"].as_str().unwrap().contains("is not there"), "{found}");
    assert_eq!(again["state"], "succeeded");
    assert_eq!(ana.get("/v1/groups/day").await.ok()["running"], Value::Null);
    assert_eq!(findings(&ana).await, json!([]));
}

#[tokio::test]
async fn a_rollout_that_was_handed_over_waits_in_line() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let id = begin(&ana, rollout("night", &names, "x")).await;
    let hold = world.faults.hold("TransactWriteItems", 0);
    let meanwhile = async {
        hold.arrived().await;
        world.plane.memory.stopping.store(true, Ordering::Relaxed);
        hold.release();
    };
    futures::join!(meanwhile, world.answer(QueueKind::Rollouts));
    let world = world.without_bells().await;
    let ana = ana.at(&world.plane);

    for _ in 0..10 {
        world.sleep(seconds(61));
        world.sweep().await;
    }
    assert_eq!(shown(&ana, &id).await["state"], "running", "all workers may be busy");
    world.settle().await;

    assert_eq!(shown(&ana, &id).await["state"], "succeeded");
}

#[tokio::test]
async fn a_removed_project_goes_on_with_its_versions_and_its_hook() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a", "b"], "old")).await;
    let hook = ana.get("/v1/deployments/b").await.ok()["hook"].clone();
    roll_out(&world, &ana, rollout("night", &["a"], "old")).await;

    let done = roll_out(&world, &ana, rollout("night", &["a", "b"], "old")).await;

    assert_eq!(did(&done), ["unchanged a applied", "create b applied"]);
    let b = ana.get("/v1/deployments/b").await.ok();
    assert_eq!((&b["version"], &b["hook"]), (&json!(2), &hook));
}

#[tokio::test]
async fn new_deployments_may_begin_paused_and_old_ones_stay_as_they_are() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a"], "old")).await;
    let mut request = rollout("night", &["a", "b"], "new");
    for index in [0, 1] {
        request["pipelines"][index]["schedule"] = "* * * * *".into();
    }
    request["paused"] = true.into();

    roll_out(&world, &ana, request).await;

    assert_eq!(ana.get("/v1/deployments/a").await.ok()["state"], "active");
    assert_eq!(ana.get("/v1/deployments/b").await.ok()["state"], "paused");
    world.advance(minutes(1)).await;
    assert_eq!(
        (ana.ticks("a").await, ana.ticks("b").await),
        (vec!["ran".to_owned()], vec!["skipped(paused)".to_owned()])
    );
}

#[tokio::test]
async fn a_rollout_whose_key_was_revoked_changes_nothing() {
    let world = TestPlane::new().await;
    let (ana, admin) = (world.user("ana").await, world.user("ana").await);
    let id = begin(&ana, rollout("night", &["a"], "x")).await;
    admin.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();

    world.settle().await;

    let failed = shown(&admin, &id).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("key_revoked")));
    assert_eq!(live(&admin, "a").await, None);
}

/// What a user sees after a rollout: each project with its version.
async fn seen(user: &tidemill_testing::User, projects: &[&str]) -> Vec<Option<u64>> {
    futures::future::join_all(projects.iter().map(|project| live(user, project))).await
}

#[tokio::test]
async fn whatever_call_a_worker_dies_at_the_next_one_ends_the_rollout_and_does_nothing_twice() {
    let projects = ["a", "b", "c", "d"];
    let mut deaths = 0;
    for call in 0..200 {
        for death in [Death::Before(call), Death::After(call)] {
            let world = TestPlane::new().await;
            let ana = world.user("ana").await;
            roll_out(&world, &ana, rollout("night", &["a", "b", "gone"], "old")).await;
            let mut request = rollout("night", &projects, "new");
            request["pipelines"][0] = wanted("a", "old");
            request["pipelines"][1]["schedule"] = "@hourly".into();
            let id = begin(&ana, request).await;
            world.faults.die(Some(death));
            world.answer(QueueKind::Rollouts).await;
            if !world.faults.is_dead() {
                assert!(deaths > 20, "a rollout makes too few calls: {deaths}");
                return;
            }
            deaths += 1;
            world.faults.die(None);
            if live(&ana, "gone").await.is_none() {
                let there = seen(&ana, &projects).await;
                assert!(there.iter().all(Option::is_some), "{death:?}: something went before all was there: {there:?}");
            }
            let world = world.restarted().await;
            let ana = ana.at(&world.plane);
            world.settle().await;

            let done = shown(&ana, &id).await;
            assert_eq!(done["state"], "succeeded", "{death:?}: {done}");
            let expected = [
                "unchanged a applied",
                "update b applied",
                "create c applied",
                "create d applied",
                "delete gone applied",
            ];
            assert_eq!(did(&done), expected, "{death:?}");
            assert_eq!(seen(&ana, &projects).await, [Some(1), Some(2), Some(1), Some(1)], "{death:?}");
            assert_eq!(live(&ana, "gone").await, None, "{death:?}");
            let versions = ana.get("/v1/deployments/b/versions").await.ok();
            assert_eq!(versions["items"].as_array().unwrap().len(), 2, "{death:?}");
            assert_eq!(findings(&ana).await, json!([]), "{death:?}");
            assert_eq!(
                roll_out(&world, &ana, rollout("night", &["a"], "old")).await["state"],
                "succeeded",
                "{death:?}"
            );
        }
    }
    panic!("a rollout makes too many calls");
}

#[tokio::test]
async fn a_rollout_that_only_creates_leaves_what_is_deployed_already() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a"], "old")).await;
    let mut request = rollout("night", &["a", "b"], "new");
    request["createOnly"] = true.into();

    let preview = ana.post("/v1/rollouts/preview", request.clone()).await.ok();
    let done = roll_out(&world, &ana, request).await;

    assert!(preview["items"][0]["problem"].as_str().unwrap().contains("deployed already"), "{preview}");
    assert_eq!((done["state"].as_str(), live(&ana, "a").await), (Some("failed"), Some(1)), "{done}");
}

#[tokio::test]
async fn a_rollout_that_only_creates_goes_on_after_its_worker_died() {
    for call in 0..200 {
        let world = TestPlane::new().await;
        let ana = world.user("ana").await;
        let mut request = rollout("night", &["a", "b", "c"], "new");
        request["createOnly"] = true.into();
        let id = begin(&ana, request).await;
        world.faults.die(Some(Death::After(call)));
        world.answer(QueueKind::Rollouts).await;
        if !world.faults.is_dead() {
            assert!(call > 10, "a rollout makes too few calls: {call}");
            return;
        }
        world.faults.die(None);
        let world = world.restarted().await;
        world.settle().await;

        let done = shown(&ana.at(&world.plane), &id).await;
        assert_eq!(did(&done), ["a", "b", "c"].map(|project| format!("create {project} applied")), "{call}");
    }
    panic!("a rollout makes too many calls");
}

#[tokio::test]
async fn a_worker_that_was_given_up_can_do_nothing_any_more() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a", "b"], "new")).await;
    // Dies when everything is validated and nothing is applied: the sixth call begins to apply.
    world.faults.die(Some(Death::Before(6)));
    world.answer(QueueKind::Rollouts).await;
    world.faults.die(None);

    for wait in [seconds(31), minutes(14)] {
        world.sleep(wait);
        world.sweep_as_another().await;
        assert_eq!(shown(&ana, &id).await["state"], "running", "somebody is called first");
    }
    world.sleep(minutes(2));
    world.sweep_as_another().await;

    let failed = shown(&ana, &id).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("worker_died")));
    assert_eq!(did(&failed), ["- a not_reached", "- b not_reached"]);
    // The bell that the sweep rang comes late.
    world.settle().await;
    assert_eq!(seen(&ana, &["a", "b"]).await, [None, None]);
    assert_eq!(shown(&ana, &id).await["state"], "failed");
    assert_eq!(roll_out(&world, &ana, rollout("night", &["a"], "x")).await["state"], "succeeded");
    assert_eq!(findings(&ana).await, json!([]));
}

#[tokio::test]
async fn a_rollout_that_kills_its_workers_is_given_up() {
    let mut world = TestPlane::new().await;
    let mut ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a"], "new")).await;
    for _ in 0..21 {
        // Each dies after it has taken the lease, and reads what is asked for.
        world.faults.die(Some(Death::Before(4)));
        world.answer(QueueKind::Rollouts).await;
        assert!(world.faults.is_dead());
        world.faults.die(None);
        assert_eq!(shown(&ana, &id).await["state"], "running");
        world = world.restarted().await;
        ana = ana.at(&world.plane);
    }

    world.settle().await;

    let failed = shown(&ana, &id).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("worker_died")));
    assert_eq!(roll_out(&world, &ana, rollout("night", &["a"], "x")).await["state"], "succeeded");
}

#[tokio::test]
async fn a_rollout_is_not_failed_by_deaths_that_it_did_not_cause() {
    let mut world = TestPlane::new().await;
    let mut ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a"], "new")).await;
    for _ in 0..30 {
        // Each dies right after it has taken the lease, before it comes to anything of this rollout.
        world.faults.die(Some(Death::After(2)));
        world.answer(QueueKind::Rollouts).await;
        assert!(world.faults.is_dead());
        world.faults.die(None);
        assert_eq!(shown(&ana, &id).await["state"], "running");
        world = world.restarted().await;
        ana = ana.at(&world.plane);
    }

    world.settle().await;

    assert_eq!(shown(&ana, &id).await["state"], "succeeded");
}

/// A process that dies in the middle of a rollout, and the one that comes after it.
async fn dies_at(world: TestPlane, death: Death) -> TestPlane {
    world.faults.die(Some(death));
    world.answer(QueueKind::Rollouts).await;
    assert!(world.faults.is_dead());
    world.faults.die(None);
    world.restarted().await
}

#[tokio::test]
async fn what_a_rollout_settled_ends_a_row_of_deaths_although_no_worker_reported_it() {
    let mut world = TestPlane::new().await;
    let ana = world.user("ana").await;
    // What is removed comes after what is wanted, so that only `a` is on its way at first.
    let old = begin(&ana, rollout("night", &["a", "b"], "old")).await;
    world.settle().await;
    assert_eq!(shown(&ana, &old).await["state"], "succeeded");
    let id = begin(&ana, rollout("night", &["a"], "new")).await;
    for _ in 0..20 {
        world = dies_at(world, Death::Before(4)).await;
    }

    // The first resource is written, and the process dies before it says so.
    let hold = world.faults.hold("TransactWriteItems", 0);
    let dies = async {
        hold.arrived().await;
        world.faults.die(Some(Death::Before(0)));
        hold.release();
    };
    futures::join!(dies, world.answer(QueueKind::Rollouts));
    world.faults.die(None);
    world = world.restarted().await;
    for _ in 0..5 {
        world = dies_at(world, Death::Before(4)).await;
    }
    world.settle().await;

    assert_eq!(shown(&ana.at(&world.plane), &id).await["state"], "succeeded");
}

#[tokio::test]
async fn a_rollout_whose_worker_died_stands_in_line_for_the_next() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a"], "new")).await;
    world.faults.die(Some(Death::Before(5)));
    world.answer(QueueKind::Rollouts).await;
    world.faults.die(None);

    // Every worker is busy with something else for ten minutes.
    for _ in 0..10 {
        world.sleep(seconds(61));
        world.sweep_as_another().await;
        assert_eq!(shown(&ana, &id).await["state"], "running");
    }
    world.settle().await;

    assert_eq!(shown(&ana, &id).await["state"], "succeeded");
}

#[tokio::test]
async fn a_worker_that_comes_back_after_it_was_given_up_applies_nothing() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a", "b"], "new")).await;
    // Both resources are on their way at once; the first one is written, the second is held up.
    let hold = world.faults.hold("TransactWriteItems", 1);
    let meanwhile = async {
        hold.arrived().await;
        for wait in [seconds(31), minutes(15), minutes(1)] {
            world.sleep(wait);
            world.sweep_as_another().await;
        }
        let failed = shown(&ana, &id).await;
        assert_eq!(failed["state"], "failed", "{failed}");
        hold.release();
        did(&failed)
    };

    let (given_up, _) = futures::join!(meanwhile, world.answer(QueueKind::Rollouts));

    let (applied, left): (Vec<_>, Vec<_>) = given_up.iter().partition(|outcome| outcome.ends_with(" applied"));
    assert_eq!((applied.len(), left.len()), (1, 1), "{given_up:?}");
    assert_eq!(did(&shown(&ana, &id).await), given_up);
    let versions = seen(&ana, &["a", "b"]).await;
    assert_eq!(versions.iter().flatten().count(), 1, "the answer shows what is live: {versions:?}");
    assert_eq!(findings(&ana).await, json!([]));
}

#[tokio::test]
async fn a_rollout_that_lost_its_bell_is_found_by_the_sweep() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a"], "x")).await;
    let world = world.without_bells().await;
    let ana = ana.at(&world.plane);

    world.settle().await;
    assert_eq!(shown(&ana, &id).await["state"], "pending");
    world.sleep(seconds(60));
    world.sweep().await;
    world.settle().await;

    assert_eq!(shown(&ana, &id).await["state"], "succeeded");
}
