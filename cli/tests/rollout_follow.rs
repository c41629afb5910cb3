//! A rollout is followed to its end, whatever happens to the plane meanwhile.

use crate::given::Plane;
use crate::given_door::{Act, Door};
use crate::given_rollouts::MANY;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

/// Lines that are waited for before the plane is killed.
const SOME: usize = 16;

#[test]
fn a_plane_that_is_killed_and_started_again_loses_no_line_and_prints_none_twice() {
    let mut plane = Plane::new();
    let projects = plane.many("night");
    let mut deploy = plane.spawn(&["deploy", "night"]);
    let mut printed = BufReader::new(deploy.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut lines: Vec<String> = printed.by_ref().take(SOME).collect();

    plane.kill();
    std::thread::sleep(Duration::from_millis(500));
    plane.start_again();
    lines.extend(printed);
    let mut stderr = String::new();
    deploy.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();

    assert_eq!(deploy.wait().unwrap().code(), Some(0), "{stderr}");
    assert!(stderr.contains("does not answer") && stderr.contains("trying again"), "{stderr}");
    let end = lines.pop().unwrap();
    assert!(end.contains("succeeded in ") && end.ends_with(&format!(": {MANY} deployed")), "{end}");
    let expected: Vec<String> = projects.iter().map(|project| format!("deployed `{project}`: version 1")).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_rollout_is_followed_by_its_events_and_not_by_asking_again() {
    let plane = Plane::new();
    plane.many("night");
    let door = Door::before(&plane.url, |_, _| Act::Pass);

    let deployed = plane.tidemill_at(&door.url, &["deploy", "night"]);

    assert_eq!((deployed.code, deployed.stdout.lines().count()), (0, MANY + 1), "{}", deployed.stderr);
    assert_eq!((door.asked("/events "), door.asked("GET /v1/rollouts/")), (1, 2));
}

#[test]
fn a_script_sees_every_ten_percent() {
    let plane = Plane::new();
    plane.many("night");

    let deployed = plane.tidemill(&["deploy", "night"]);

    let lines = deployed.stderr.lines().filter(|line| line.contains("% apply")).count();
    assert!((5..=11).contains(&lines), "{}", deployed.stderr);
}

#[test]
fn a_rollout_is_looked_at_where_there_is_no_stream() {
    let plane = Plane::new();
    plane.many("night");
    let no_events = |line: &str, _| if line.contains("/events ") { Act::Refuse } else { Act::Pass };
    let door = Door::before(&plane.url, no_events);

    let deployed = plane.tidemill_at(&door.url, &["deploy", "night"]);

    assert_eq!((deployed.code, deployed.stdout.lines().count()), (0, MANY + 1), "{}", deployed.stderr);
    assert_eq!(door.asked("/events "), 1);
    assert!(door.asked("GET /v1/rollouts/") > 3, "it is looked at again and again");
}

#[test]
fn a_script_follows_by_lines_of_json() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b"], "x");
    plane.tidemill(&["deploy", "night"]);

    let followed = plane.tidemill(&["rollout", "follow", "night", "--json"]);

    let lines: Vec<Value> = followed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((followed.code, lines.len()), (0, 3), "{}", followed.stdout);
    assert_eq!((lines[0]["project"].as_str(), lines[1]["project"].as_str()), (Some("a"), Some("b")));
    assert_eq!((lines[2]["state"].as_str(), lines[2].get("items")), (Some("succeeded"), None));
}

#[test]
fn a_detached_deploy_goes_on_and_can_be_followed() {
    let plane = Plane::new();
    let id = plane.begin_many("night");

    let going = plane.tidemill(&["rollout", "show", &id, "--json"]).json();
    let followed = plane.tidemill(&["rollout", "follow", &id]);

    assert_ne!(going["state"], "succeeded", "it is not waited for");
    assert_eq!((followed.code, followed.stdout.lines().count()), (0, MANY + 1), "{}", followed.stderr);
}

#[test]
fn an_interrupted_deploy_says_that_the_rollout_goes_on_and_how_to_follow_it() {
    let plane = Plane::new();
    plane.many("night");
    let mut deploy = plane.spawn(&["deploy", "night"]);
    let first = BufReader::new(deploy.stdout.as_mut().unwrap()).lines().next().unwrap().unwrap();

    interrupt(&deploy);
    let start = Instant::now();
    let mut stderr = String::new();
    deploy.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();

    assert_eq!(deploy.wait().unwrap().code(), Some(130), "{first} {stderr}");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(stderr.contains("` continues on the plane") && stderr.contains("tidemill rollout follow"), "{stderr}");
    assert_eq!(plane.tidemill(&["rollout", "follow", "night"]).code, 0);
}

/// What Ctrl-C sends.
fn interrupt(child: &std::process::Child) {
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_deploy_that_is_interrupted_before_its_answer_says_that_it_may_have_begun() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    let door = Door::before(&plane.url, |line, _| if line.starts_with("POST") { Act::Hold } else { Act::Pass });
    let mut deploy = plane.spawn_at(&door.url, &["deploy", "night"]);
    eventually(|| door.asked("POST /v1/rollouts") == 1);

    interrupt(&deploy);
    let mut stderr = String::new();
    deploy.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();

    assert_eq!(deploy.wait().unwrap().code(), Some(130), "{stderr}");
    assert!(stderr.contains("the rollout may have started"), "{stderr}");
    assert!(stderr.contains("tidemill rollouts --group night"), "{stderr}");
}

#[test]
fn a_deploy_that_is_interrupted_while_it_waits_says_that_it_has_not_begun() {
    let plane = Plane::new();
    plane.begin_many("night");
    let mut deploy = plane.spawn(&["deploy", "night"]);
    let mut stderr = BufReader::new(deploy.stderr.take().unwrap());
    let notes = |line: &std::io::Result<String>| !line.as_ref().unwrap().starts_with("waiting for rollout");
    let waiting = stderr.by_ref().lines().find(|line| !notes(line)).unwrap().unwrap();

    interrupt(&deploy);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();

    assert!(waiting.starts_with("waiting for rollout"), "{waiting}");
    assert_eq!(deploy.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("interrupted before the rollout started"), "{rest}");
}

/// Waits for something that comes by itself.
fn eventually(holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "it does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}
