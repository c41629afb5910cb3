//! What is said of a deployment besides its pipeline: a schedule, limits, a note.

use crate::given::Plane;

const LOST: &str = "only a new version keeps the note";

#[test]
fn what_makes_no_sense_begins_no_rollout() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    let note = "x".repeat(600);

    for (option, value) in [
        ("--schedule", "x y"),
        ("--timezone", "Europe/Atlantis"),
        ("--max-attempts", "0"),
        ("--timeout", "25h"),
        ("--catch-up", "25h"),
        ("--note", &note),
    ] {
        let refused = plane.tidemill(&["deploy", "night", option, value]);
        assert_eq!(refused.code, 2, "{option}: {}", refused.stderr);
        assert!(refused.stderr.contains("\nhint: "), "{option}: {}", refused.stderr);
    }
    let attempts = plane.tidemill(&["deploy", "night", "--max-attempts", "0"]);

    assert!(attempts.stderr.starts_with("error: `--max-attempts` is 0, outside 1 to 10\n"), "{}", attempts.stderr);
    assert_eq!(plane.tidemill(&["rollouts", "--json"]).json()["items"].as_array().unwrap().len(), 0);
}

#[test]
fn a_schedule_in_a_file_is_checked_before_anything_is_sent() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b"], "x");
    let path = plane.folder.path().join("night/b.pipe");
    let pipeline = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!(r#"{{"schedule": "* * * *", "pipeline": {pipeline}}}"#)).unwrap();

    let refused = plane.tidemill(&["deploy", "night"]);

    assert_eq!(refused.code, 1);
    assert!(refused.stderr.starts_with("error: `night/b.pipe`: schedule `* * * *` has 4 fields"), "{}", refused.stderr);
    assert_eq!(plane.tidemill(&["rollouts", "--json"]).json()["items"].as_array().unwrap().len(), 0);
}

#[test]
fn a_time_limit_and_a_catch_up_are_durations() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");

    let deployed = plane.tidemill(&["deploy", "night", "--timeout", "5m", "--catch-up", "1h"]);

    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let status = plane.tidemill(&["status", "a", "--json"]).json();
    assert_eq!((status["timeoutSeconds"].as_u64(), status["catchUpSeconds"].as_u64()), (Some(300), Some(3600)));
}

#[test]
fn a_note_that_no_version_keeps_is_reported_as_lost() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b"], "x");
    let deploy = |more: &[&str]| plane.tidemill(&[&["deploy", "night", "--note", "why"], more].concat()).stderr;

    let first = deploy(&[]);
    let same = deploy(&[]);
    let schedule = deploy(&["--schedule", "0 * * * *"]);
    plane.folder("night", &["a", "b"], "y");
    let new = deploy(&[]);

    assert!(!first.contains(LOST) && !new.contains(LOST), "{first}{new}");
    assert!(same.contains(LOST) && schedule.contains(LOST), "{same}{schedule}");
}

#[test]
fn an_update_says_that_a_note_is_lost() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    plane.tidemill(&["deploy", "night"]);
    plane.folder("night", &["a"], "y");

    let schedule = plane.tidemill(&["update", "a", "--schedule", "0 * * * *", "--note", "why"]);
    let pipeline = plane.tidemill(&["update", "a", "night/a.pipe", "--note", "why"]);

    assert_eq!((schedule.code, pipeline.code), (0, 0), "{}{}", schedule.stderr, pipeline.stderr);
    assert!(
        schedule.stderr.contains(LOST) && !pipeline.stderr.contains(LOST),
        "{}{}",
        schedule.stderr,
        pipeline.stderr
    );
}
