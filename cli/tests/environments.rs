//! Environments by the command, as people use them.

use crate::given::Plane;
use serde_json::json;

/// Two versions of `orders`, the first of them live in `staging`.
fn with_versions() -> Plane {
    let plane = Plane::new();
    for (file, text) in [("1.pipe", "one"), ("2.pipe", "two")] {
        plane.write(file, text);
        assert_eq!(plane.tidemill(&["versions", "add", file]).code, 0);
    }
    let deployed = plane.tidemill(&["env", "deploy", "orders", "1", "--env", "staging"]);
    assert_eq!(deployed.stdout, "version 1 of `orders` is live in `staging`, the first there\n", "{}", deployed.stderr);
    plane
}

#[test]
fn versions_are_promoted_and_rolled_back() {
    let plane = with_versions();
    plane.tidemill(&["env", "deploy", "orders", "2", "--env", "testing"]);

    let promoted = plane.tidemill(&["promote", "orders", "--from", "testing", "--to", "staging"]);
    assert_eq!(promoted.stdout, "version 2 of `orders` is live in `staging`, before it version 1\n");
    let back = plane.tidemill(&["rollback", "orders", "--env", "staging"]);
    assert_eq!(back.stdout, "version 1 of `orders` is live in `staging`, before it version 2\n");
    let further = plane.tidemill(&["rollback", "orders", "--env", "staging"]);
    assert_eq!(further.code, 5);
    assert!(further.stderr.contains("no earlier version"), "{}", further.stderr);
    let named = plane.tidemill(&["rollback", "orders", "--env", "staging", "--to", "2", "--json"]);
    assert_eq!((&named.json()["version"], &named.json()["fromVersion"]), (&json!(2), &json!(1)));

    let history = plane.tidemill(&["env", "history", "orders", "--env", "staging", "--json"]).json();
    let operations: Vec<_> = history["items"].as_array().unwrap().iter().map(|row| &row["operation"]).collect();
    assert_eq!(operations[..2], ["environment_rollback", "environment_rollback"]);
    assert_eq!(operations.len(), 6);
    let table = plane.tidemill(&["env", "history", "orders", "--env", "staging"]).stdout;
    assert!(table.lines().next().unwrap().contains("OPERATION"), "{table}");
}

#[test]
fn what_is_live_where_is_listed_and_shown() {
    let plane = with_versions();
    let set = plane.tidemill(&["env", "source", "orders", "now", "--env", "staging", "--schedule", "@daily"]);
    assert_eq!(set.stdout, "changed source `now` of `orders` in `staging`\n", "{}", set.stderr);

    let list = plane.tidemill(&["env", "list"]).stdout;
    let row: Vec<&str> = list.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..6], ["staging", "orders", "1", "enabled", "now:", "@daily"]);
    let shown = plane.tidemill(&["env", "show", "orders", "--env", "staging"]).stdout;
    assert!(shown.contains("sha256") && shown.contains("@daily"), "{shown}");
    assert_eq!(plane.tidemill(&["env", "list", "--env", "testing", "--json"]).json()["items"], json!([]));
    assert_eq!(plane.tidemill(&["env", "show", "orders"]).code, 3, "nothing is in `production`");
}

#[test]
fn an_environment_is_run_disabled_enabled_and_removed() {
    let plane = with_versions();
    let on_staging = |command: &[&str]| plane.tidemill(&[command, &["--env", "staging"]].concat());

    let ran = on_staging(&["env", "run", "orders", "now"]);
    assert!(ran.stdout.contains("of `orders` in `staging`, version 1"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(on_staging(&["env", "disable", "orders"]).stdout, "disabled `orders` in `staging`\n");
    assert_eq!(on_staging(&["env", "run", "orders", "now"]).code, 5);
    let deployed = on_staging(&["env", "deploy", "orders", "2"]);
    assert!(deployed.stderr.contains("`tidemill env enable orders --env staging`"), "{}", deployed.stderr);
    assert_eq!(on_staging(&["env", "enable", "orders"]).stdout, "enabled `orders` in `staging`\n");
    assert_eq!(on_staging(&["env", "remove", "orders"]).stdout, "removed `orders` in `staging`\n");
    assert_eq!(on_staging(&["env", "remove", "orders"]).code, 3);
}

#[test]
fn a_command_line_that_changes_nothing_is_wrong() {
    let plane = Plane::new();

    for arguments in [
        ["env", "source", "orders", "now"].as_slice(),
        &["env", "source", "orders", "now", "--pause", "--resume"],
        &["env", "source", "orders", "now", "--timezone", "UTC"],
        &["env", "deploy", "orders"],
        &["promote", "orders", "--from", "testing"],
        &["versions"],
    ] {
        assert_eq!(plane.tidemill(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn a_version_is_added_and_its_pipeline_printed() {
    let plane = Plane::new();
    plane.write("orders.pipe", "x");

    let added = plane.tidemill(&["versions", "add", "orders.pipe", "--note", "first", "--env", "staging"]);
    assert_eq!(added.stdout, "added version 1 of `orders`, live in `staging`\n", "{}", added.stderr);
    let alone = plane.tidemill(&["versions", "add", "orders.pipe"]);
    assert_eq!(alone.stdout, "added version 2 of `orders`, live nowhere yet\n");

    let sent = std::fs::read_to_string(plane.folder.path().join("orders.pipe")).unwrap();
    assert_eq!(plane.tidemill(&["versions", "show", "orders", "1"]).stdout.trim_end(), sent);
    assert_eq!(plane.tidemill(&["versions", "orders", "--version", "1"]).stdout.trim_end(), sent);
    assert!(plane.tidemill(&["versions", "orders"]).stdout.contains("first"));
    std::fs::write(plane.folder.path().join("broken.pipe"), "{\"components\": []}").unwrap();
    assert_eq!(plane.tidemill(&["versions", "add", "broken.pipe"]).code, 1);
}
