//! In which zone times are shown and read.

use crate::command::CommandOutput;
use crate::given::Plane;
use crate::given_terminal::on_terminal;
use serde_json::json;
use std::process::Command;

/// A plane with `orders`, due each day at 09:00 in Tokyo.
fn given() -> Plane {
    let plane = Plane::new();
    plane.write("orders.pipe", "x");
    let options = ["--schedule", "0 9 * * *", "--timezone", "Asia/Tokyo"];
    assert_eq!(plane.tidemill(&[&["deploy", "orders.pipe"], options.as_slice()].concat()).code, 0);
    plane
}

/// Runs the command with TZ set, or without it.
fn in_zone(plane: &Plane, zone: Option<&str>, arguments: &[&str]) -> CommandOutput {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidemill"));
    command.args(arguments).args(["--url", &plane.url]).current_dir(plane.folder.path()).env_remove("TZ");
    let output = command.envs(zone.map(|zone| ("TZ", zone))).output().unwrap();
    CommandOutput {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn row<'a>(shown: &'a str, name: &str) -> &'a str {
    shown.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {shown}"))
}

#[test]
fn a_due_time_is_in_its_schedules_zone_and_the_rest_in_that_of_tz_or_in_utc() {
    let plane = given();
    for (zone, options, name) in [
        (None, [].as_slice(), "UTC"),
        (Some("Asia/Kolkata"), &[], "Asia/Kolkata"),
        (Some("Asia/Kolkata"), &["--utc"], "UTC"),
        (Some("Asia/Kolkata"), &["--local"], "Asia/Kolkata"),
        (Some(":America/Lima"), &[], "America/Lima"),
    ] {
        let shown = in_zone(&plane, zone, &[&["status", "orders"], options].concat()).stdout;

        assert!(row(&shown, "next").contains(" 09:00:00 Asia/Tokyo (in "), "{shown}");
        assert!(row(&shown, "deployed").contains(&format!(" {name} (")), "{shown}");
    }
    let machine = in_zone(&plane, None, &["status", "orders", "--local"]);
    assert_eq!(machine.code, 0, "{}", machine.stderr);
}

#[test]
fn the_same_instant_is_shown_five_and_a_half_hours_later_in_kolkata() {
    let plane = given();
    let json = in_zone(&plane, Some("Asia/Kolkata"), &["status", "orders", "--json"]).json();
    let made: jiff::Timestamp = json["createdAt"].as_str().unwrap().parse().unwrap();

    for (zone, seconds) in [(None, 0), (Some("Asia/Kolkata"), 19_800)] {
        let shown = in_zone(&plane, zone, &["status", "orders"]).stdout;
        let expected = made.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        let expected = expected.strftime("%Y-%m-%d %H:%M:%S").to_string();
        assert!(row(&shown, "deployed").contains(&expected), "{shown}: {expected}");
    }
    assert!(json["createdAt"].as_str().unwrap().ends_with('Z'), "JSON stays in UTC");
}

#[test]
fn a_column_of_times_has_the_zone_in_its_heading_and_a_line_of_a_log_has_its_short_name() {
    // A schedule's minute lasts a tenth of a second.
    let plane = Plane::with(&["--minute", "0.1"]);
    let log = json!({"id": "note", "provider": "log", "config": {}, "input": [{"lane": "text", "from": "now"}]});
    let components = json!([{"id": "now", "provider": "timer", "config": {}}, log]);
    let pipeline = json!({"project_id": "orders", "source": "now", "components": components});
    std::fs::write(plane.folder.path().join("orders.pipe"), pipeline.to_string()).unwrap();
    assert_eq!(plane.tidemill(&["deploy", "orders.pipe", "--schedule", "* * * * *"]).code, 0);
    let kolkata = |arguments: &[&str]| in_zone(&plane, Some("Asia/Kolkata"), arguments);
    let has_run = || kolkata(&["runs", "--state", "succeeded", "--jq", ".items | length"]).stdout != "0\n";
    assert!((0..200).any(|_| has_run()), "no tick ran: {}", plane.log());

    let ticks = kolkata(&["ticks", "orders"]).stdout;
    let heading = ticks.lines().next().unwrap();
    assert!(heading.starts_with("DUE (Asia/Kolkata)  ") && heading.contains("  AGO  "), "{ticks}");
    assert!(in_zone(&plane, None, &["ticks", "orders"]).stdout.starts_with("DUE (UTC) "));
    let shown = kolkata(&["runs", "show", "orders"]).stdout;
    assert!(
        row(&shown, "tick").ends_with(" Asia/Kolkata") && row(&shown, "queued").contains(" Asia/Kolkata ("),
        "{shown}"
    );
    let id = kolkata(&["runs", "--state", "succeeded", "--jq", ".items[0].id"]).stdout;
    let logs = kolkata(&["logs", id.trim()]).stdout;
    assert!(logs.lines().next().unwrap_or_default().contains(" IST  INFO note: "), "{logs}");
}

#[test]
fn the_preview_of_a_schedule_is_in_the_zone_of_the_schedule_and_in_the_commands() {
    let plane = Plane::new();
    let arguments = ["schedule", "next", "30 2 * * *", "--timezone", "Europe/Berlin", "--from", "2027-10-30T12:00:00Z"];
    let shown = on_terminal(120, plane.folder.path(), &[("TZ", "Asia/Kolkata")], &arguments);

    let shown = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&shown, "").into_owned();
    assert!(shown.starts_with("DUE (Asia/Kolkata)   DUE (Europe/Berlin) "), "{shown}");
    for line in
        ["\n2027-10-31 06:00:00  Sun 2027-10-31 02:30:00 CEST ", "\n2027-11-01 07:00:00  Mon 2027-11-01 02:30:00 CET "]
    {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn a_time_is_read_in_the_zone_in_which_it_is_shown() {
    let plane = given();
    let from = |zone, options: &[&str]| {
        let arguments = ["schedule", "next", "* * * * *", "--from", "2026-11-21 10:00", "--jq", ".from"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidemill"));
        command.args(arguments).args(options).env_remove("TZ");
        let output = command.envs(Option::<&str>::map(zone, |zone| ("TZ", zone))).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };

    assert_eq!(from(None, &[]), "2026-11-21T10:00:00Z\n");
    assert_eq!(from(Some("Asia/Kolkata"), &[]), "2026-11-21T04:30:00Z\n");
    assert_eq!(from(Some("Asia/Kolkata"), &["--utc"]), "2026-11-21T10:00:00Z\n");
    let why = |options: &[&str]| {
        let arguments = [&["why", "orders", "2027-01-01 09:00", "--jq", ".time"], options].concat();
        in_zone(&plane, Some("Asia/Kolkata"), &arguments).stdout
    };
    assert_eq!(why(&[]), "2027-01-01T03:30:00Z\n");
    assert_eq!(why(&["--timezone", "Asia/Tokyo"]), "2027-01-01T00:00:00Z\n");
    let shown = in_zone(&plane, Some("Asia/Kolkata"), &["why", "orders", "2027-01-01T00:00:00Z"]).stdout;
    assert!(row(&shown, "time").contains("2027-01-01 09:00:00 Asia/Tokyo"), "{shown}");
    assert_eq!(row(&shown, "schedule"), "schedule    0 9 * * * (Asia/Tokyo)");
}

#[test]
fn a_tz_that_is_no_zone_is_refused_with_what_to_set() {
    let plane = given();

    let refused = in_zone(&plane, Some("Mars/Olympus"), &["status", "orders"]);

    assert_eq!(refused.code, 2);
    assert_eq!(
        refused.stderr,
        "error: `Mars/Olympus` in TZ is not a time zone\nhint: set an IANA name, e.g. `Europe/Madrid`, or give `--utc`\n"
    );
    assert_eq!(in_zone(&plane, Some("Mars/Olympus"), &["status", "orders", "--utc"]).code, 0);
}
