//! Runs are followed from one to the next, of one project or of all.

use crate::given::Plane;
use crate::given_door::{Act, Door};
use crate::given_runs::{Follower, LONG, messages};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The line that a follower writes when it has nothing to show.
const WAITING: &str = "waiting for the next one";

#[test]
fn a_project_is_followed_from_run_to_run() {
    let plane = Plane::new();
    plane.deploy_saying("orders", "hello");
    let mut follower = Follower::of(plane.spawn(&["logs", "orders", "--follow"]));
    follower.says(WAITING);

    let first = plane.begin_run("orders");
    let shown = follower.until(" succeeded");
    let second = plane.begin_run("orders");
    let then = follower.until(" succeeded");
    let (code, notes) = follower.interrupted();

    for (run, lines) in [(first, shown), (second, then)] {
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with(&format!("── run {run} of `orders` by manual, ")), "{lines:?}");
        assert!(lines[1].ends_with("  INFO log: hello"), "{lines:?}");
        assert!(lines[2].starts_with(&format!("── run {run} of `orders` succeeded in ")), "{lines:?}");
    }
    assert_eq!(code, 130, "{notes}");
    assert!(notes.contains("runs continue on the plane") && notes.contains("tidemill logs orders --follow"), "{notes}");
}

#[test]
fn a_project_is_followed_from_its_newest_run_on() {
    let plane = Plane::new();
    plane.deploy_saying("orders", "hello");
    plane.tidemill(&["run", "orders", "--follow"]);
    plane.tidemill(&["run", "orders", "--follow"]);
    let newest = plane.tidemill(&["runs", "show", "orders", "--json"]).json()["id"].as_str().unwrap().to_owned();
    let mut follower = Follower::of(plane.spawn(&["logs", "orders", "--follow"]));

    let lines = follower.until(" succeeded");

    assert!(lines[0].contains(&newest) && lines.len() == 3, "{lines:?}");
}

#[test]
fn a_tail_shows_the_runs_of_all_projects_with_project_and_short_id() {
    let plane = Plane::with(&["--allow-files", "."]);
    let written = plane.deploy_long("orders");
    plane.deploy_saying("mails", "hello");
    let going = plane.begin_run("orders");
    let mut follower = Follower::of(plane.spawn(&["tail"]));
    let mut lines = follower.until("line 10");

    let started = plane.begin_run("mails");
    lines.extend(follower.until(&format!("run {going} of `orders` succeeded")));
    if !lines.iter().any(|line| line.contains(&format!("run {started} of `mails` succeeded"))) {
        lines.extend(follower.until(&format!("run {started} of `mails` succeeded")));
    }

    let of = |project: &str, run: &str| -> Vec<String> {
        let label = format!("{project} {} ", &run[..10]);
        lines.iter().filter_map(|line| line.strip_prefix(&label)).map(str::to_owned).collect()
    };
    assert_eq!(messages(&of("orders", &going)), written, "a run that is going is shown from its beginning");
    assert_eq!(messages(&of("mails", &started)), ["hello"]);
    assert_eq!(lines.len(), LONG + 1 + 4, "and nothing else but beginnings and ends");
}

#[test]
fn a_tail_of_one_project_shows_no_other() {
    let plane = Plane::new();
    plane.deploy_saying("orders", "hello");
    plane.deploy_saying("mails", "other");
    let mut follower = Follower::of(plane.spawn(&["tail", "orders", "--json"]));
    // A script gets no notes: the first run shows that it listens.
    let first = loop {
        plane.tidemill(&["run", "mails", "--follow"]);
        plane.tidemill(&["run", "orders", "--follow"]);
        if let Some(line) = follower.lines.next() {
            break line.unwrap();
        }
    };

    let end = follower.until("\"state\"").pop().unwrap();

    let (first, end): (Value, Value) = (serde_json::from_str(&first).unwrap(), serde_json::from_str(&end).unwrap());
    assert_eq!((first["project"].as_str(), first["message"].as_str()), (Some("orders"), Some("hello")));
    assert_eq!(
        (&end["run"], end["state"].as_str(), end["attempt"].as_u64()),
        (&first["run"], Some("succeeded"), Some(1))
    );
}

#[test]
fn a_tail_loses_no_line_and_doubles_none_when_the_plane_is_killed_and_started_again() {
    let mut plane = Plane::with(&["--allow-files", "."]);
    let written = plane.deploy_long("orders");
    let run = plane.begin_run("orders");
    let mut follower = Follower::of(plane.spawn(&["tail"]));
    let mut lines = follower.until("line 100");

    plane.kill();
    std::thread::sleep(Duration::from_millis(500));
    plane.start_again();
    lines.extend(follower.until(&format!("run {run} of `orders` succeeded")));
    let (_, notes) = follower.interrupted();

    assert_eq!(messages(&lines), written);
    assert_eq!(notes.matches("trying again").count(), 1, "{notes}");
}

#[test]
fn a_tail_asks_the_plane_a_few_times_a_second() {
    let plane = Plane::with(&["--allow-files", "."]);
    let (mut projects, start) = (Vec::new(), Instant::now());
    for number in 0..4 {
        projects.push(format!("p{number}"));
        plane.deploy_long(&projects[number]);
    }
    let runs: Vec<String> = projects.iter().map(|project| plane.begin_run(project)).collect();
    let door = Door::before(&plane.url, |_, _| Act::Pass);
    let began = start.elapsed();
    let mut follower = Follower::of(plane.spawn_at(&door.url, &["tail"]));

    for _ in &runs {
        follower.until(" succeeded");
    }

    let took = (start.elapsed() - began).as_secs_f64();
    let asked = door.asked("GET /v1/runs") as f64;
    assert!(asked <= 5.0 * took + 5.0, "{asked} requests in {took} s");
}

#[test]
fn a_tail_of_a_project_that_does_not_exist_is_refused() {
    let plane = Plane::new();

    let refused = plane.tidemill(&["tail", "orders"]);

    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("`orders`"), "{}", refused.stderr);
}
