//! A run is followed to its end, whatever happens to the plane meanwhile.

use crate::given::Plane;
use crate::given_runs::{Follower, LONG, messages};
use serde_json::json;
use std::time::Duration;

/// Lines that are waited for before something happens.
const SOME: usize = 100;

#[test]
fn a_log_that_is_followed_loses_no_line_and_doubles_none_when_the_plane_is_killed_and_started_again() {
    let mut plane = Plane::with(&["--allow-files", "."]);
    let written = plane.deploy_long("orders");
    let run = plane.begin_run("orders");
    let mut follower = Follower::of(plane.spawn(&["logs", &run, "--follow"]));
    let mut lines: Vec<String> = follower.lines.by_ref().take(SOME).map(Result::unwrap).collect();

    plane.kill();
    std::thread::sleep(Duration::from_millis(500));
    plane.start_again();
    lines.extend(follower.lines.by_ref().map(Result::unwrap));
    let (code, notes) = follower.ended();

    assert_eq!((code, lines.len()), (0, LONG), "{notes}");
    assert_eq!(messages(&lines), written);
    assert_eq!(notes.matches("does not answer").count(), 1, "{notes}");
    assert!(notes.contains("trying again"), "{notes}");
}

#[test]
fn a_run_that_is_started_and_followed_survives_the_plane_and_shows_its_end() {
    let mut plane = Plane::with(&["--allow-files", "."]);
    let written = plane.deploy_long("orders");
    let mut follower = Follower::of(plane.spawn(&["run", "orders", "--follow"]));
    follower.says("line 60");

    plane.kill();
    std::thread::sleep(Duration::from_millis(500));
    plane.start_again();
    let (code, notes) = follower.ended();

    let lines: Vec<String> = notes.lines().map(str::to_owned).collect();
    assert_eq!(code, 0, "{notes}");
    assert_eq!(messages(&lines), written[61..], "each line once, in order");
    assert!(notes.contains("trying again") && notes.contains("succeeded"), "{notes}");
}

#[test]
fn an_interrupted_follower_says_that_the_run_goes_on_and_how_to_follow_it() {
    let plane = Plane::with(&["--allow-files", "."]);
    plane.deploy_long("orders");
    let run = plane.begin_run("orders");
    let mut follower = Follower::of(plane.spawn(&["logs", &run, "--follow"]));
    follower.until("line 0");

    let (code, notes) = follower.interrupted();

    assert_eq!(code, 130, "{notes}");
    assert!(notes.contains(&format!("run `{run}` continues on the plane")), "{notes}");
    assert!(notes.contains(&format!("tidemill logs {run} --follow")), "{notes}");
    let followed = plane.tidemill(&["logs", &run, "--follow"]);
    assert_eq!((followed.code, followed.stdout.lines().count()), (0, LONG), "{}", followed.stderr);
}

#[test]
fn each_attempt_has_a_heading_and_a_script_gets_it_with_each_line() {
    let plane = Plane::with(&["--allow-private-network"]);
    let config = json!({"url": "http://127.0.0.1:1/", "retries": 0});
    plane.write_with("orders.pipe", json!({"id": "post", "provider": "http_request", "config": config}));
    plane.tidemill(&["deploy", "orders.pipe", "--max-attempts", "2"]);
    let followed = plane.tidemill(&["run", "orders", "--follow"]);
    assert_eq!(followed.code, 1, "{}", followed.stderr);

    let shown = plane.tidemill(&["logs", "orders"]).stdout;
    let script = plane.tidemill(&["logs", "orders", "--json"]).json();

    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 3, "{shown}");
    assert!(lines[0].starts_with("── attempt 1 of 2, ") && lines[0].ends_with(" ──"), "{shown}");
    assert!(lines[1].contains(" WARN post: attempt 1 of 2 failed: "), "{shown}");
    assert_eq!(lines[2], "── attempt 2 of 2 ──");
    assert!(followed.stderr.contains("── attempt 2 of 2"), "{}", followed.stderr);
    assert_eq!(
        (&script["items"][0]["attempt"], &script["attempt"], &script["maxAttempts"]),
        (&json!(1), &json!(2), &json!(2))
    );
    let run = script["run"].as_str().unwrap();
    let line: serde_json::Value =
        serde_json::from_str(plane.tidemill(&["logs", run, "--follow", "--json"]).stdout.trim()).unwrap();
    assert_eq!((&line["attempt"], &line["run"], &line["project"]), (&json!(1), &json!(run), &json!("orders")));
}
