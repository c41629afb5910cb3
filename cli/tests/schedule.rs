//! The preview of schedules, without a plane.

use crate::command::{tidemill, tidemill_reading};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// 2026-11-21T10:00:00Z
const START: i64 = 1_795_255_200;

fn answers(lines: &str) -> Vec<Value> {
    let ended = tidemill_reading(&["schedule", "next", "--jsonl"], lines);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_is_answered_with_five_times_strictly_after_its_start() {
    let answers = answers(r#"{"expr":"*/5 * * * *","start":1795255200}"#);

    let next: Vec<i64> = (1..=5).map(|n| START + n * 300).collect();
    assert_eq!(answers, [json!({"expr": "*/5 * * * *", "start": START, "valid": true, "next": next, "error": null})]);
}

#[test]
fn a_start_may_be_a_fraction_and_goes_back_as_it_came() {
    let answers =
        answers("{\"expr\":\"* * * * *\",\"start\":1795255199.5}\n{\"expr\":\"* * * * *\",\"start\":1795255200.0}\n");

    assert_eq!(answers[0]["next"][0], START);
    assert_eq!(answers[0]["start"], 1795255199.5);
    assert_eq!(answers[1]["next"][0], START + 60);
}

#[test]
fn a_line_may_name_a_zone() {
    let answers = answers(r#"{"expr":"0 0 * * *","start":1795255200,"timezone":"Asia/Tokyo"}"#);

    // 2026-11-22T00:00+09:00
    assert_eq!(answers[0]["next"][0], START + 5 * 3_600);
}

#[test]
fn what_is_wrong_is_answered_in_its_place() {
    let lines = [
        r#"{"expr":"*/5 * * *","start":0}"#,
        r#"{"expr":"0 0 30 2 *","start":0}"#,
        r#"{"expr":"* * * * *","start":"now"}"#,
        r#"{"expr":"* * * * *","start":1e300}"#,
        r#"{"expr":"* * * * *","start":0,"timezone":"Mars/Olympus"}"#,
        "nonsense",
        "",
        r#"{"expr":"manual","start":0}"#,
    ];

    let answers = answers(&lines.join("\n"));

    assert_eq!(answers.len(), 7, "blank lines are passed over");
    for answer in &answers[..6] {
        assert_eq!((&answer["valid"], &answer["next"]), (&json!(false), &json!([])), "{answer}");
        assert!(answer["error"].is_string(), "{answer}");
    }
    assert_eq!(answers[6], json!({"expr": "manual", "start": 0, "valid": true, "next": [], "error": null}));
}

#[test]
fn many_lines_are_answered_at_once() {
    let lines: String =
        (0..10_000).map(|n| format!("{{\"expr\":\"{} */2 * * 1-5\",\"start\":{}}}\n", n % 60, START + n)).collect();

    let started = Instant::now();
    let answers = answers(&lines);

    assert_eq!(answers.len(), 10_000);
    assert!(answers.iter().all(|answer| answer["valid"] == true));
    assert!(started.elapsed() < Duration::from_secs(10), "even without optimisation: {:?}", started.elapsed());
}

#[test]
fn a_person_is_shown_a_table_and_a_script_json() {
    let arguments = ["schedule", "next", "0 6 * * mon-fri", "--from", "2026-11-21T10:00:00Z", "--count", "2"];

    let table = tidemill(&arguments).stdout;
    let object = tidemill(&[arguments.as_slice(), &["--json"]].concat()).json();

    assert!(
        table.contains("DUE (UTC) ")
            && table.contains("2026-11-23 06:00:00 ")
            && table.contains("2026-11-24 06:00:00 "),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'), "no colours off a terminal");
    assert_eq!(object["next"], json!(["2026-11-23T06:00:00Z", "2026-11-24T06:00:00Z"]));
    assert_eq!(object["notes"], json!([]));
}

#[test]
fn a_wrong_expression_is_refused_where_it_goes_wrong() {
    let ended = tidemill(&["schedule", "next", "0 25 * * *"]);

    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("  0 25 * * *\n    ^"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
}

#[test]
fn a_due_time_that_a_change_of_the_clock_moved_has_a_note() {
    let daily = ["schedule", "next", "30 2 * * *", "--timezone", "Europe/Berlin", "--from", "2027-03-27T12:00:00Z"];
    let note = "02:30 does not exist on this day; due at 03:00 CEST";

    let shown = tidemill(&[&daily[..], &["--count", "2"]].concat()).stdout;
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].ends_with("NOTE") && lines[1].ends_with(note) && !lines[2].contains("exist"), "{shown}");

    let json = tidemill(&[&daily[..], &["--json"]].concat()).json();
    assert_eq!(json["notes"], json!([{"at": "2027-03-28T01:00:00Z", "note": note}]));
    let usual = tidemill(&["schedule", "next", "@daily"]).stdout;
    assert!(!usual.contains("NOTE"), "{usual}");
}
