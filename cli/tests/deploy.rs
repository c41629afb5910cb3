//! `tidemill deploy`: a file, a folder, what has gone from it, and how it fails.

use crate::given::Plane;
use crate::given_rollouts::lines;
use std::process::Command;

#[test]
fn a_file_is_deployed_by_itself_and_shown_with_its_schedule() {
    let plane = Plane::new();
    plane.write("orders.pipe", "one");

    let deployed = plane.tidemill(&["deploy", "orders.pipe", "--schedule", "0 7 * * *"]);
    plane.write("orders.pipe", "two");
    let updated = plane.tidemill(&["deploy", "orders.pipe"]);
    let unchanged = plane.tidemill(&["deploy", "orders.pipe", "--json"]);

    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    assert!(
        deployed.stdout.starts_with("deployed `orders`: version 1, `0 7 * * *` UTC, next in "),
        "{}",
        deployed.stdout
    );
    assert!(updated.stdout.starts_with("updated `orders`: version 2, `0 7 * * *` UTC"), "{}", updated.stdout);
    let rollout = unchanged.json();
    assert_eq!(unchanged.stdout.lines().count(), 1);
    assert_eq!((rollout["state"].as_str(), rollout["group"].as_str()), (Some("succeeded"), Some("orders")));
    assert_eq!(rollout["items"][0]["action"], "unchanged");
}

#[test]
fn a_folder_is_a_group_and_what_has_gone_from_it_stays_without_an_option() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b", "c", "d"], "x");
    let first = plane.tidemill(&["deploy", "night"]);
    assert_eq!(
        lines(&first),
        ["a", "b", "c", "d"].map(|project| format!("deployed `{project}`: version 1")),
        "{}",
        first.stderr
    );

    plane.folder("night", &["a", "b", "c"], "x");
    let left = plane.tidemill(&["deploy", "night"]);
    assert!(left.stderr.contains("still deployed: `d`") && left.stderr.contains("`--prune`"), "{}", left.stderr);
    assert_eq!(plane.deployed(), ["a", "b", "c", "d"]);

    plane.folder("night", &["a", "b"], "x");
    let pruned = plane.tidemill(&["deploy", "night", "--prune"]);
    assert_eq!(lines(&pruned), ["removed `c`", "removed `d`"], "{}", pruned.stdout);
    assert_eq!(plane.deployed(), ["a", "b"]);

    assert!(pruned.stdout.ends_with(": 2 unchanged, 2 removed\n"), "{}", pruned.stdout);

    plane.folder("night", &["a"], "x");
    let kept = plane.tidemill(&["deploy", "night", "--keep"]);
    assert_eq!(lines(&kept), ["let go `b`: version 1"], "{}", kept.stdout);
    let again = plane.tidemill(&["deploy", "night", "--prune"]);
    assert_eq!((lines(&again).len(), plane.deployed()), (0, vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn several_files_are_a_part_of_their_folders_group() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b", "c"], "x");
    plane.tidemill(&["deploy", "night"]);
    plane.folder("night", &["a", "b"], "y");

    let part = plane.tidemill(&["deploy", "night/a.pipe", "night/b.pipe", "--json"]);
    let with_prune = plane.tidemill(&["deploy", "night/a.pipe", "night/b.pipe", "--prune"]);

    assert_eq!((part.json()["group"].as_str(), part.json()["resources"].as_u64()), (Some("night"), Some(2)));
    assert_eq!((with_prune.code, plane.deployed().len()), (2, 3), "{}", with_prune.stderr);
}

#[test]
fn nothing_is_sent_if_one_pipeline_cannot_run_and_all_problems_are_shown_with_their_places() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    plane.write("night/b.pipe", "{{ value.x | uper }}");
    plane.write_broken("night/bad.pipe", "bad");

    let failed = plane.tidemill(&["deploy", "night"]);
    let alone = plane.tidemill(&["deploy", "night/b.pipe", "--json"]);

    assert_eq!((failed.code, alone.code), (1, 1));
    assert!(failed.stderr.contains("`uper`") && failed.stderr.contains("`none`"), "{}", failed.stderr);
    assert!(
        failed.stderr.contains("  night/b.pipe:1:") && failed.stderr.contains("  night/bad.pipe:1:"),
        "{}",
        failed.stderr
    );
    assert!(failed.stderr.ends_with("hint: nothing changed\n"), "{}", failed.stderr);
    let detail = &alone.error_json()["details"][0];
    assert_eq!((detail["file"].as_str(), detail["line"].as_u64()), (Some("night/b.pipe"), Some(1)), "{detail}");
    assert_eq!(plane.tidemill(&["rollouts", "--json"]).json()["items"], serde_json::json!([]));
    assert!(plane.deployed().is_empty());
}

#[test]
fn a_provider_that_only_the_plane_may_know_is_left_to_the_plane() {
    let plane = Plane::new();
    let pipeline = r#"{"project_id": "a", "components": [{"id": "in", "provider": "nope", "config": {}}]}"#;
    std::fs::write(plane.folder.path().join("a.pipe"), pipeline).unwrap();

    let failed = plane.tidemill(&["deploy", "a.pipe", "--json"]);
    let added = plane.tidemill(&["versions", "add", "a.pipe", "--json"]);
    plane.write("b.pipe", "x");
    assert_eq!(plane.tidemill(&["deploy", "b.pipe"]).code, 0);
    let updated = plane.tidemill(&["update", "orders", "a.pipe", "--json"]);

    for refused in [failed, added, updated] {
        let error = refused.error_json();
        let detail = &error["details"][0];
        let place = (detail["file"].as_str(), detail["line"].as_u64(), detail["column"].as_u64());
        assert_eq!((refused.code, error["code"].as_str()), (1, Some("invalid_argument")), "{error}");
        assert_eq!(place, (Some("a.pipe"), Some(1), Some(61)), "{error}");
    }
    assert!(plane.tidemill(&["deploy", "a.pipe"]).stderr.contains("  at a.pipe:1:61\n"));
    assert_eq!(plane.tidemill(&["rollouts", "--json"]).json()["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_secret_that_is_not_set_is_a_warning_with_its_file_and_strict_refuses_it() {
    let plane = Plane::new();
    plane.write("a.pipe", "${TOKEN}");
    let arguments = ["deploy", "a.pipe", "--schedule", "0 7 * * *"];

    let strict = plane.tidemill(&[&arguments[..], &["--strict"]].concat());
    let warned = plane.tidemill(&arguments);
    plane.tidemill(&["secrets", "set", "TOKEN", "--value", "abcdefgh"]);
    let set = plane.tidemill(&[&arguments[..], &["--strict"]].concat());

    let warning = "names the secret `TOKEN`, which is not set";
    assert_eq!((strict.code, warned.code, set.code), (1, 0, 0), "{}{}{}", strict.stderr, warned.stderr, set.stderr);
    assert!(strict.stderr.contains(warning) && strict.stderr.contains("which `--strict` refuses"), "{}", strict.stderr);
    assert!(strict.stderr.ends_with("hint: nothing changed\n"), "{}", strict.stderr);
    assert!(
        warned.stderr.contains(&format!("warning: a.pipe:1:141: component `text` {warning} (")),
        "{}",
        warned.stderr
    );
    assert!(!set.stderr.contains(warning), "{}", set.stderr);
}

#[test]
fn source_chooses_among_several_sources_and_is_stored_with_the_pipeline() {
    let plane = Plane::new();
    let respond = |id: &str, from: &str| serde_json::json!({"id": id, "provider": "response", "config": {"laneName": id}, "input": [{"lane": "text", "from": from}]});
    let pipeline = serde_json::json!({"project_id": "two", "components": [
        {"id": "first", "provider": "timer", "config": {}},
        {"id": "second", "provider": "timer", "config": {}},
        respond("one", "first"),
        respond("other", "second"),
    ]});
    std::fs::write(plane.folder.path().join("two.pipe"), pipeline.to_string()).unwrap();

    let refused = plane.tidemill(&["deploy", "two.pipe"]);
    let deployed = plane.tidemill(&["deploy", "two.pipe", "--source", "second"]);
    let run = plane.tidemill(&["run", "two", "--follow", "--json"]);
    let unknown = plane.tidemill(&["deploy", "two.pipe", "--source", "third"]);

    assert_eq!((refused.code, deployed.code, unknown.code), (1, 0, 1), "{}", deployed.stderr);
    assert!(refused.stderr.contains("a schedule would start `first`, `second`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("or deploy it with `--source first`"), "{}", refused.stderr);
    assert!(run.stdout.contains("\"other\"") && !run.stdout.contains("\"one\""), "{}{}", run.stdout, run.stderr);
    assert!(unknown.stderr.contains("source `third` is not a component"), "{}", unknown.stderr);
}

#[test]
fn dev_strict_refuses_pipelines_with_warnings_and_deploys_the_others() {
    let mut plane = Plane::new();
    plane.folder("all", &["secret"], "${TOKEN}");
    plane.folder("more", &["idle", "sound"], "x");
    let schedule = |file: &str| {
        let path = plane.folder.path().join(file);
        let pipeline = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{{\"schedule\": \"0 7 * * *\", \"pipeline\": {pipeline}}}")).unwrap();
    };
    schedule("all/secret.pipe");
    schedule("more/sound.pipe");
    plane.kill();

    plane.start_with(&["--deploy", "all", "--deploy", "more", "--strict"]);
    while !plane.log().contains(" refused") {
        std::thread::yield_now();
    }

    let log = plane.log();
    assert!(log.contains("1 deployed, 0 updated, 0 unchanged, 2 refused"), "{log}");
    assert!(log.contains("`all/secret.pipe` has warnings, which `--strict` refuses"), "{log}");
    assert!(log.contains("names the secret `TOKEN`, which is not set"), "{log}");
    assert!(log.contains("source `now` is a timer, but no schedule starts this pipeline"), "{log}");
    assert_eq!(plane.deployed(), ["sound"]);
}

#[test]
fn strict_refuses_warnings_and_a_timer_that_keeps_its_schedule_has_none() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");

    let strict = plane.tidemill(&["deploy", "night/a.pipe", "--strict"]);
    let scheduled = plane.tidemill(&["deploy", "night/a.pipe", "--strict", "--schedule", "0 7 * * *"]);
    let kept = plane.tidemill(&["deploy", "night/a.pipe", "--strict"]);

    assert_eq!((strict.code, scheduled.code, kept.code), (1, 0, 0), "{}{}", scheduled.stderr, kept.stderr);
    assert!(strict.stderr.contains("is a timer, but no schedule starts this pipeline"), "{}", strict.stderr);
    assert!(strict.stderr.contains("which `--strict` refuses"), "{}", strict.stderr);
    assert!(!kept.stderr.contains("warning"), "{}", kept.stderr);
}

#[test]
fn an_input_that_no_source_takes_is_a_warning() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    plane.tidemill(&["deploy", "night/a.pipe"]);

    let run = plane.tidemill(&["run", "a", "--input", "hello", "--follow"]);

    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("no source of `a` takes an input"), "{}", run.stderr);
}

#[test]
fn unreadable_files_are_refused_before_anything_is_sent() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    for file in ["b", "c"] {
        std::fs::write(plane.folder.path().join(format!("night/{file}.pipe")), "{").unwrap();
    }

    let refused = plane.tidemill(&["deploy", "night"]);

    assert_eq!(
        (refused.code, plane.tidemill(&["rollouts", "--json"]).json()["items"].as_array().unwrap().len()),
        (1, 0)
    );
    assert!(refused.stderr.contains("night/b.pipe") && refused.stderr.contains("night/c.pipe"), "{}", refused.stderr);
    assert_eq!(refused.stderr.matches("night/b.pipe").count(), 1, "{}", refused.stderr);
}

#[test]
fn create_only_fails_with_5_where_something_is_deployed_already() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b"], "x");
    plane.tidemill(&["deploy", "night/b.pipe"]);

    let refused = plane.tidemill(&["deploy", "night", "--create-only"]);

    assert_eq!(refused.code, 5);
    assert!(refused.stderr.contains("`b` is deployed already"), "{}", refused.stderr);
    assert_eq!(plane.deployed(), ["b"]);
}

#[test]
fn a_body_that_no_plane_takes_is_refused_before_it_is_sent() {
    let plane = Plane::new();
    plane.folder("orders", &["orders"], &"x".repeat(3_000_000));
    plane.folder("more", &["more"], &"x".repeat(3_300_000));

    let refused = plane.tidemill(&["deploy", "orders", "more", "--group", "night"]);

    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("a plane takes 6291456"), "{}", refused.stderr);
}

#[test]
fn a_version_knows_the_commit_unless_it_is_to_be_left_out() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b"], "x");
    let git = |arguments: &[&str]| {
        let done = Command::new("git").args(arguments).current_dir(plane.folder.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q", "-b", "main"]);
    git(&[
        "-c",
        "user.name=Ana",
        "-c",
        "user.email=ana@example.com",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "Count by hour",
    ]);
    git(&["remote", "add", "origin", "https://ana:t0ken@example.com/r.git"]);

    let with = plane.tidemill(&["deploy", "night/a.pipe", "--json"]).json();
    let without = plane.tidemill(&["deploy", "night/b.pipe", "--no-git", "--json"]).json();

    let git = &with["git"];
    assert_eq!((git["branch"].as_str(), git["message"].as_str()), (Some("main"), Some("Count by hour")), "{with}");
    assert_eq!((git["author"].as_str(), git["repository"].as_str()), (Some("Ana"), Some("https://example.com/r.git")));
    assert_eq!(git["commit"].as_str().unwrap().len(), 40);
    assert!(without["git"].is_null(), "{without}");
    let versions = plane.tidemill(&["versions", "a"]).stdout;
    assert!(versions.contains(&git["commit"].as_str().unwrap()[..8]), "{versions}");
}

#[test]
fn a_pipeline_that_the_plane_refuses_is_named_by_its_file() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    let unknown = r#"{"project_id": "NAME", "components": [{"id": "x", "provider": "nope", "config": {}}]}"#;
    for file in ["b", "c"] {
        let text = unknown.replace("NAME", file).replace("\"nope\"", "\"nope\", \"x\": \"\"");
        std::fs::write(plane.folder.path().join(format!("night/{file}.pipe")), text).unwrap();
    }

    let two = plane.tidemill(&["deploy", "night", "--preview"]);

    assert_eq!(two.code, 1);
    for file in ["night/b.pipe", "night/c.pipe"] {
        assert!(two.stderr.contains(&format!("\n  {file}")), "{}", two.stderr);
    }
    assert!(!two.stderr.contains("details") && !two.stderr.contains("pipelines["), "{}", two.stderr);
}

#[test]
fn a_warning_names_the_file_that_it_is_about() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b"], "x");
    let path = plane.folder.path().join("night/b.pipe");
    let pipeline = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, pipeline.replace("timer", "webhook").replace("documents", "text")).unwrap();

    let deployed = plane.tidemill(&["deploy", "night", "--schedule", "0 * * * *"]);

    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    assert!(deployed.stderr.contains("warning: night/b.pipe:1:"), "{}", deployed.stderr);
}

#[test]
fn what_is_named_twice_is_taken_once_and_a_project_of_two_files_is_refused_with_both() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b"], "x");

    let twice = plane.tidemill(&["deploy", "night", "./night/"]);
    let with_a_part = plane.tidemill(&["deploy", "night", "night/a.pipe", "--json"]);
    std::fs::copy(plane.folder.path().join("night/a.pipe"), plane.folder.path().join("night/c.pipe")).unwrap();
    let doubled = plane.tidemill(&["deploy", "night"]);

    assert_eq!((twice.code, lines(&twice).len()), (0, 2), "{}", twice.stderr);
    assert_eq!(with_a_part.json()["resources"], 2, "{}", with_a_part.stderr);
    assert_eq!(doubled.code, 1);
    assert!(
        doubled.stderr.starts_with("error: the project `a` is in `night/a.pipe` and in `night/c.pipe`"),
        "{}",
        doubled.stderr
    );
}
