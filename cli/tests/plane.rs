//! The command against a plane of its own, as people use the two.

use crate::command::tidemill_in;
use crate::given::Plane;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};

#[test]
fn the_log_of_a_failed_run_ends_with_its_error() {
    let plane = Plane::new();
    let config = json!({"url": "http://127.0.0.1/"});
    plane.write_with("orders.pipe", json!({"id": "post", "provider": "http_request", "config": config}));
    assert_eq!(plane.tidemill(&["deploy", "orders.pipe"]).code, 0);
    assert_eq!(plane.tidemill(&["run", "orders", "--follow"]).code, 1);

    let run = plane.tidemill(&["runs", "show", "orders", "--json"]).json()["id"].as_str().unwrap().to_owned();

    for arguments in [["logs", "orders"].as_slice(), &["logs", &run, "--follow"]] {
        let ended = plane.tidemill(arguments);

        assert_eq!(ended.code, 0);
        assert!(ended.stderr.contains("error: run `") && ended.stderr.contains("` failed: post: "), "{}", ended.stderr);
        assert!(ended.stderr.contains("\nhint: "), "{}", ended.stderr);
    }
    assert!(plane.tidemill(&["logs", "orders"]).stderr.contains("wrote no log"));
}

#[test]
fn a_run_that_dropped_a_value_says_so_in_its_table_and_in_the_list() {
    let plane = Plane::new();
    let input = json!([{"lane": "documents", "from": "hook"}]);
    let pipeline = json!({
        "project_id": "orders",
        "source": "hook",
        "components": [
            {"id": "hook", "provider": "webhook", "config": {}},
            {"id": "out", "provider": "response", "config": {}, "input": input},
        ],
    });
    std::fs::write(plane.folder.path().join("orders.pipe"), pipeline.to_string()).unwrap();
    plane.tidemill(&["deploy", "orders.pipe"]);

    assert_eq!(plane.tidemill(&["run", "orders", "--input", "[1]", "--follow"]).code, 0);
    assert!(!plane.tidemill(&["runs"]).stdout.contains("DROPPED"));
    assert_eq!(plane.tidemill(&["run", "orders", "--input", "no document", "--follow"]).code, 0);

    assert!(plane.tidemill(&["runs"]).stdout.contains("DROPPED"));
    let shown = plane.tidemill(&["runs", "show", "orders"]).stdout;
    assert!(shown.contains("\nCOMPONENT  IN") && shown.contains("1: nothing listens to its media type"), "{shown}");
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_id_in_any_case() {
    let plane = Plane::new();
    plane.write("orders.pipe", "x");
    plane.tidemill(&["deploy", "orders.pipe"]);
    let id = plane.tidemill(&["run", "orders", "--json"]).json()["id"].as_str().unwrap().to_owned();

    for given in [id.to_lowercase(), id[..20].to_owned(), id[..8].to_lowercase(), id[..1].to_owned()] {
        let shown = plane.tidemill(&["runs", "show", &given, "--json"]);
        assert_eq!(shown.json()["id"], id.as_str(), "{given}: {}", shown.stderr);
        assert_eq!(plane.tidemill(&["logs", &given]).code, 0, "{given}");
    }

    let second = plane.tidemill(&["run", "orders", "--json"]).json()["id"].as_str().unwrap().to_owned();
    let several = plane.tidemill(&["logs", "0"]);
    assert_eq!(several.code, 2, "{}", several.stderr);
    assert!(several.stderr.contains(&id) && several.stderr.contains(&second), "{}", several.stderr);
}

#[test]
fn a_list_shows_first_what_fails_and_only_that_if_asked() {
    let plane = Plane::new();
    let config = json!({"url": "http://127.0.0.1/"});
    plane.folder("night", &["a", "b"], "x");
    plane.write_with("orders.pipe", json!({"id": "post", "provider": "http_request", "config": config}));
    plane.tidemill(&["deploy", "night"]);
    plane.tidemill(&["deploy", "orders.pipe"]);
    assert_eq!(plane.tidemill(&["run", "orders", "--follow"]).code, 1);
    assert_eq!(plane.tidemill(&["run", "b", "--follow"]).code, 0);

    let shown = plane.tidemill(&["list"]).stdout;
    let rows: Vec<&str> = shown.lines().skip(1).collect();
    assert!(rows[0].starts_with("orders") && rows[0].contains('✗'), "{shown}");
    assert!(rows[1].starts_with('a') && rows[2].starts_with('b') && rows[2].contains('✓'), "{shown}");

    let names = |arguments: &[&str]| {
        let list = plane.tidemill(&[&["list", "--json"], arguments].concat()).json();
        list["items"].as_array().unwrap().iter().map(|item| item["project"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["a", "b", "orders"]);
    assert_eq!(names(&["--failing"]), ["orders"]);
    assert_eq!(names(&["--group", "night", "B"]), ["b"]);
    assert_eq!(names(&["--state", "paused"]), [] as [&str; 0]);
}

#[test]
fn the_plane_warns_of_a_failed_run_in_one_line_with_what_to_do() {
    let plane = Plane::new();
    let config = json!({"url": "http://127.0.0.1/"});
    plane.write_with("orders.pipe", json!({"id": "post", "provider": "http_request", "config": config}));
    plane.tidemill(&["deploy", "orders.pipe"]);
    plane.tidemill(&["run", "orders", "--follow"]);

    let log = plane.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("`orders` failed")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("WARN") && lines[0].contains("post: `127.0.0.1` is refused"), "{log}");
    assert!(lines[0].contains("component=\"post\"") && lines[0].contains("hint=\""), "{log}");
}

#[test]
fn an_update_takes_its_pipeline_as_an_argument_or_as_an_option() {
    let plane = Plane::new();
    for (version, text) in [(1, "one"), (2, "two"), (3, "three")] {
        plane.write(&format!("{version}.pipe"), text);
    }
    plane.tidemill(&["deploy", "1.pipe"]);

    let argument = plane.tidemill(&["update", "orders", "2.pipe"]);
    let option = plane.tidemill(&["update", "orders", "--pipeline", "3.pipe"]);

    assert!(argument.stdout.starts_with("updated `orders`: version 2"), "{}{}", argument.stdout, argument.stderr);
    assert!(option.stdout.starts_with("updated `orders`: version 3"), "{}{}", option.stdout, option.stderr);
    assert_eq!(plane.tidemill(&["update", "orders"]).code, 2);
    assert_eq!(plane.tidemill(&["update", "orders", "2.pipe", "--pipeline", "3.pipe"]).code, 2);
}

#[test]
fn an_answer_why_ends_with_the_reason_in_a_sentence() {
    let plane = Plane::new();
    plane.write("orders.pipe", "x");
    plane.tidemill(&["deploy", "orders.pipe"]);

    let ended = plane.tidemill(&["why", "orders", "2100-01-01T00:00:00Z"]);

    let last = ended.stdout.lines().last().unwrap();
    assert_eq!(last, "the schedule was `manual`: only a call or a webhook starts it", "{}", ended.stdout);
}

#[test]
fn the_keys_of_any_owner_are_listed_page_by_page() {
    let plane = Plane::new();
    for name in ["a", "b", "c"] {
        assert_eq!(plane.tidemill(&["keys", "create", "--owner", "ana", "--name", name]).code, 0);
    }

    let list = |more: &[&str]| plane.tidemill(&[&["keys", "list", "--owner", "ana", "--json"], more].concat()).json();
    let names = |list: &Value| -> Vec<String> {
        list["items"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = list(&["--limit", "2"]);
    let rest = list(&["--cursor", first["next"].as_str().unwrap()]);

    assert_eq!((names(&first), names(&rest)), (vec!["a".into(), "b".into()], vec!["c".to_owned()]));
    assert_eq!(names(&list(&["--all"])), ["a", "b", "c"]);
}

#[test]
fn a_script_removes_without_a_question() {
    let plane = Plane::new();
    plane.write("orders.pipe", "x");
    for arguments in [&["remove", "orders"][..], &["remove", "orders", "--yes"]] {
        plane.tidemill(&["deploy", "orders.pipe"]);

        let removed = plane.tidemill(arguments);

        assert_eq!((removed.code, plane.tidemill(&["status", "orders"]).code), (0, 3), "{}", removed.stderr);
    }
    assert_eq!(plane.tidemill(&["remove", "orders"]).code, 3, "there is nothing left to remove");
}

#[test]
fn a_secret_without_a_value_is_refused() {
    let plane = Plane::new();

    let ended = plane.tidemill(&["secrets", "set", "TOKEN"]);

    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("the value is empty"), "{}", ended.stderr);
}

#[test]
fn a_task_is_listed_without_its_token_and_ended_by_its_id() {
    let plane = Plane::new();
    assert!(plane.tidemill(&["tasks"]).stderr.contains("no task is open"));
    let opened = plane.post(
        "/v1/tasks",
        &json!({"pipeline": {
            "project_id": "orders",
            "components": [
                {"id": "in", "provider": "webhook", "config": {}},
                {"id": "out", "provider": "response", "config": {}, "input": [{"lane": "text", "from": "in"}]},
            ],
        }}),
    );
    let (id, token) = (opened["id"].as_str().unwrap(), opened["token"].as_str().unwrap());

    let listed = plane.tidemill(&["tasks"]).stdout;
    let ended = plane.tidemill(&["tasks", "end", id]);

    assert!(listed.contains(id) && listed.contains("open") && !listed.contains(token), "{listed}");
    assert_eq!((ended.code, ended.stdout.contains("has ended")), (0, true), "{}{}", ended.stdout, ended.stderr);
    let again = plane.tidemill(&["tasks", "end", token]);
    assert!(again.code != 0 && again.stderr.contains("the task has ended"), "{}", again.stderr);
    assert_eq!(plane.tidemill(&["tasks", "end", "tk_none"]).code, 3);
}

#[test]
fn what_is_for_groups_is_refused_with_a_project_and_removes_nothing() {
    let plane = Plane::new();
    plane.write("orders.pipe", "x");
    plane.tidemill(&["deploy", "orders.pipe"]);

    for option in ["--keep", "--detach", "--no-wait", "--cancel-in-progress"] {
        let refused = plane.tidemill(&["remove", "orders", option]);
        assert_eq!(refused.code, 2, "{option}: {}{}", refused.stdout, refused.stderr);
    }

    assert_eq!(plane.deployed(), ["orders"]);
}

#[test]
fn a_command_says_whose_key_it_uses() {
    let plane = Plane::new();

    let caller = plane.tidemill(&["whoami", "--json"]).json();
    let shown = plane.tidemill(&["whoami"]).stdout;

    assert_eq!((&caller["plane"], &caller["minuteSeconds"]), (&json!("local"), &json!(60.0)));
    for text in [caller["owner"].as_str(), caller["key"]["id"].as_str(), Some(plane.url.as_str()), Some("60 s")] {
        assert!(shown.contains(text.unwrap()), "{shown}");
    }
    assert_eq!(plane.tidemill(&["whoami", "--key", "tm_local_x"]).code, 4);
}

#[test]
fn a_data_folder_keeps_itself_out_of_git_unless_it_is_the_users_own() {
    let plane = Plane::new();
    let status = |folder: &std::path::Path| {
        let git = |arguments: &[&str]| {
            std::process::Command::new("git").args(arguments).current_dir(folder).output().unwrap()
        };
        assert!(git(&["init", "-q"]).status.success());
        String::from_utf8(git(&["status", "--porcelain", "--untracked-files=all"]).stdout).unwrap()
    };
    let mine = tempfile::tempdir().unwrap();
    std::fs::write(mine.path().join("orders.pipe"), "{}").unwrap();

    let (mut other, _) = crate::given::start_with(
        mine.path(),
        std::path::Path::new("/dev/null"),
        &["--listen", "127.0.0.1:0", "--data", "."],
    );
    other.kill().unwrap();
    other.wait().unwrap();

    assert_eq!(status(plane.folder.path()), "");
    assert!(status(mine.path()).contains("orders.pipe"));
}

#[test]
fn a_log_is_json_if_it_is_asked_for_and_a_level_that_is_none_is_refused() {
    let start = |level: &str| {
        let folder = tempfile::tempdir().unwrap();
        let child = std::process::Command::new(env!("CARGO_BIN_EXE_tidemill"))
            .args(["dev", "--listen", "0", "--log-format", "json"])
            .env("TIDEMILL_LOG", level)
            .current_dir(folder.path())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        (child, folder)
    };

    let (mut plane, folder) = start("info");
    let mut ready = String::new();
    BufReader::new(plane.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let url = ready.trim().strip_prefix("ready ").unwrap();
    std::fs::write(
        folder.path().join("a.pipe"),
        json!({"project_id": "a", "components": [{"id": "now", "provider": "timer", "config": {}},
            {"id": "out", "provider": "response", "config": {}, "input": [{"lane": "documents", "from": "now"}]}]})
        .to_string(),
    )
    .unwrap();
    for arguments in [&["deploy", "a.pipe"][..], &["run", "a", "--follow"]] {
        let ended = tidemill_in(folder.path(), &[arguments, &["--url", url]].concat(), "");
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    plane.kill().unwrap();
    let log = String::from_utf8(plane.wait_with_output().unwrap().stderr).unwrap();
    let (refused, _folder) = start("loud");
    let refused = refused.wait_with_output().unwrap();

    let mut events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let end = events.find(|event| event["fields"]["project.id"] == "a" && event["fields"]["state"] == "succeeded");
    assert_eq!(end.unwrap_or_else(|| panic!("{log}"))["fields"]["objects"], 1);
    assert_eq!(refused.status.code(), Some(2));
    let refused = String::from_utf8(refused.stderr).unwrap();
    assert!(
        refused.starts_with("error: `loud` in TIDEMILL_LOG is not a level of the log\nhint: set `error`"),
        "{refused}"
    );
}
