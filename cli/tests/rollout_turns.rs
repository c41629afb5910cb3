//! A rollout starts after the running one of its group, and although its answer is lost.

use crate::given::Plane;
use crate::given_door::{Act, Door};
use crate::given_rollouts::names;

#[test]
fn a_deploy_waits_for_the_one_that_goes_on_and_says_for_whom() {
    let plane = Plane::new();
    let id = plane.begin_many("night");

    let waited = plane.tidemill(&["deploy", "night"]);

    assert_eq!(waited.code, 0, "{}", waited.stderr);
    assert!(waited.stderr.contains(&format!("waiting for rollout `{id}` of `night`, started ")), "{}", waited.stderr);
    assert_eq!(plane.tidemill(&["rollout", "show", &id, "--json"]).json()["state"], "succeeded");
}

#[test]
fn a_deploy_that_may_not_wait_or_has_waited_long_enough_fails_with_5() {
    let plane = Plane::new();
    let id = plane.begin_many("night");

    let at_once = plane.tidemill(&["deploy", "night", "--no-wait", "--json"]);
    let in_vain = plane.tidemill(&["deploy", "night", "--wait-limit", "0"]);

    assert_eq!((at_once.code, in_vain.code), (5, 5), "{}{}", at_once.stderr, in_vain.stderr);
    let stderr = plane.tidemill(&["deploy", "night", "--no-wait"]).stderr;
    assert!(stderr.matches(&id).count() < 3, "{stderr}");
    assert_eq!(at_once.error_json()["details"][0]["message"], id.as_str());
    assert!(in_vain.stderr.contains(&format!("rollout `{id}` of `night` is still running")), "{}", in_vain.stderr);
}

#[test]
fn a_deploy_cancels_the_running_one_on_request() {
    let plane = Plane::new();
    let id = plane.begin_many("night");
    plane.folder("night", &["a"], "x");

    let deployed = plane.tidemill(&["deploy", "night", "--cancel-in-progress"]);

    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    assert!(deployed.stderr.contains(&format!("cancelling rollout `{id}`")), "{}", deployed.stderr);
    let cancelled = plane.tidemill(&["rollout", "follow", &id]);
    assert_eq!(cancelled.code, 1);
    assert!(cancelled.stderr.contains("was cancelled"), "{}", cancelled.stderr);
    assert!(plane.deployed().contains(&"a".to_owned()));
}

#[test]
fn a_rollout_is_cancelled_by_its_id_or_by_its_group() {
    let plane = Plane::new();
    let id = plane.begin_many("night");

    let asked = plane.tidemill(&["rollout", "cancel", "night"]);

    assert!(
        asked.stdout.contains(&format!("rollout `{id}` ends after the pipelines it has begun")),
        "{}",
        asked.stdout
    );
    assert_eq!(plane.tidemill(&["rollout", "follow", "night"]).code, 1);
    assert_eq!(
        plane.tidemill(&["rollout", "cancel", &id]).stdout,
        format!("rollout `{id}` was cancelled already; there is nothing to cancel\n")
    );
    let shown = plane.tidemill(&["rollout", "show", &id]).stdout;
    assert!(!shown.contains("300 of 300"), "{shown}");
    assert_eq!(plane.tidemill(&["rollout", "cancel", "day"]).code, 3);
}

#[test]
fn a_deploy_whose_answer_was_lost_is_done_once() {
    let plane = Plane::new();
    plane.write("orders.pipe", "x");
    let door = Door::before(&plane.url, |_, number| if number == 0 { Act::Swallow } else { Act::Pass });

    let through_it = plane.tidemill_at(&door.url, &["deploy", "orders.pipe", "--schedule", "manual"]);

    assert_eq!(through_it.code, 0, "{}", through_it.stderr);
    assert!(through_it.stderr.contains("does not answer"), "the answer was lost: {}", through_it.stderr);
    assert!(through_it.stdout.starts_with("deployed `orders`: version 1"), "{}", through_it.stdout);
    let rollouts = plane.tidemill(&["rollouts", "--json"]).json();
    assert_eq!(names(&rollouts, "state"), ["succeeded"]);
}

#[test]
fn a_group_is_listed_shown_and_taken_off() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b"], "x");
    plane.tidemill(&["deploy", "night"]);

    let shown = plane.tidemill(&["groups", "night", "--json"]).json();
    assert_eq!(shown["members"].as_array().unwrap().len(), 2, "{shown}");
    assert!(plane.tidemill(&["groups"]).stdout.contains("night"));
    let kept = plane.tidemill(&["remove", "--group", "night", "--keep"]);
    assert_eq!((kept.code, plane.deployed().len()), (0, 2), "{}", kept.stderr);
    assert_eq!(plane.tidemill(&["groups", "night"]).code, 3);

    plane.tidemill(&["deploy", "night"]);
    let removed = plane.tidemill(&["remove", "--group", "night"]);
    assert!(removed.stdout.starts_with("removed `a`\nremoved `b`\n"), "{}", removed.stdout);
    assert!(plane.deployed().is_empty());
    assert_eq!(plane.tidemill(&["remove", "orders", "--detach"]).code, 2, "a project is removed at once");
}

#[test]
fn the_rollout_that_took_a_group_off_is_found_by_the_groups_name() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    plane.tidemill(&["deploy", "night"]);
    plane.tidemill(&["remove", "--group", "night"]);

    let shown = plane.tidemill(&["rollout", "show", "night", "--json"]);
    let followed = plane.tidemill(&["rollout", "follow", "night"]);

    assert_eq!((shown.code, followed.code), (0, 0), "{}{}", shown.stderr, followed.stderr);
    assert_eq!(shown.json()["items"][0]["action"], "delete");
    assert!(followed.stdout.starts_with("removed `a`\n"), "{}", followed.stdout);
    assert_eq!(plane.tidemill(&["rollout", "show", "day"]).code, 3);
}

#[test]
fn a_rollout_that_is_cancelled_gets_time_to_end_whatever_the_limit() {
    let plane = Plane::new();
    plane.begin_many("night");
    plane.folder("night", &["a"], "x");

    let deployed = plane.tidemill(&["deploy", "night", "--cancel-in-progress", "--wait-limit", "0"]);

    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
}

#[test]
fn a_limit_is_refused_where_nothing_waits() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    plane.tidemill(&["deploy", "night"]);

    let deploy = plane.tidemill(&["deploy", "night", "--no-wait", "--wait-limit", "5s"]);
    let remove = plane.tidemill(&["remove", "a", "--wait-limit", "5s"]);

    assert_eq!((deploy.code, remove.code), (2, 2), "{}{}", deploy.stderr, remove.stderr);
    assert_eq!(plane.deployed(), ["a"]);
}

#[test]
fn a_create_that_comes_second_fails_with_5() {
    let plane = Plane::new();
    plane.begin_many("night");

    let second = plane.tidemill(&["deploy", "night/p299.pipe", "--group", "night", "--create-only"]);

    assert_eq!(second.code, 5, "{}", second.stderr);
    assert!(second.stderr.contains("waiting for rollout"), "it looked before, and found nothing: {}", second.stderr);
    assert!(second.stderr.contains("`p299` is deployed already"), "{}", second.stderr);
}
