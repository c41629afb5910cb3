//! `tidemill init`: what it writes works.

use crate::command::{CommandOutput, tidemill, tidemill_in};
use crate::server::Server;
use tempfile::TempDir;

fn written(template: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ended = tidemill_in(folder.path(), &["init", template], "");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    folder
}

/// Tries what was written.
fn tried(template: &str, arguments: &[&str]) -> CommandOutput {
    let folder = written(template);
    let file = format!("{template}.yaml");
    let valid = tidemill_in(folder.path(), &["validate", "--strict", &file], "");
    assert_eq!(valid.code, 0, "{}", valid.stdout);
    let ended = tidemill_in(folder.path(), &[&["try", &file], arguments].concat(), "");
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    ended
}

#[test]
fn hello_says_hello() {
    assert!(tried("hello", &[]).stdout.contains("Hello! It is"));
}

#[test]
fn alert_asks_the_api_and_would_send_a_message() {
    let api = Server::answering(r#"{"state": "down"}"#);
    let status = format!("STATUS_URL={}/status", api.url);
    let message = format!("MESSAGE_URL={}/message", api.url);

    let shown = tried("alert", &["--allow-private-network", "--env", &status, "--env", &message]);
    let sent = tried("alert", &["--allow-private-network", "--env", &status, "--env", &message, "--write"]);

    assert!(shown.stdout.contains("would send POST"), "{}", shown.stdout);
    assert!(sent.stdout.contains("The state is now down."), "{}", sent.stdout);
    let expected = r#"POST /message {"text": "The state is now down."}"#;
    assert_eq!(api.requests(), ["GET /status", "GET /status", expected]);
}

#[test]
fn csv_cleans_the_file_that_comes_with_it() {
    let shown = tried("csv", &[]).stdout;

    assert!(shown.contains("rows (file_source): 5 out") && shown.contains("once (dedupe): 4 in, 3 out"), "{shown}");
    assert!(shown.contains(r#"{"id":"1002","customer":"ben","amount":7}"#), "{shown}");
}

#[test]
fn github_makes_a_message_of_an_issue_and_nothing_of_another_event() {
    let url = "MESSAGE_URL=https://example.com/hook";
    let arguments = ["--input", "@github-issue.json", "--env", url, "--header"];

    let issue = tried("github", &[&arguments[..], &["X-GitHub-Event: issues"]].concat()).stdout;
    let push = tried("github", &[&arguments[..], &["X-GitHub-Event: push"]].concat()).stdout;

    assert!(issue.contains("ana opened “The export is empty”: https://"), "{issue}");
    assert!(push.contains("opened (filter): 1 in, 0 out, 1 filtered"), "{push}");
}

#[test]
fn every_template_is_listed_and_tested() {
    let listed = tidemill(&["init", "--list", "--json"]).json();
    let names: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();

    assert_eq!(names, ["hello", "alert", "csv", "github"]);
}

#[test]
fn nothing_is_overwritten_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orders.csv"), "mine").unwrap();
    let content = || std::fs::read_to_string(folder.path().join("orders.csv")).unwrap();

    let refused = tidemill_in(folder.path(), &["init", "csv"], "");
    assert_eq!((refused.code, content()), (5, "mine".to_owned()));
    assert!(refused.stderr.contains("`orders.csv`") && refused.stderr.contains("--force"), "{}", refused.stderr);
    assert!(!folder.path().join("csv.yaml").exists(), "no file is written if one is in the way");

    let forced = tidemill_in(folder.path(), &["init", "csv", "--force"], "");
    assert_eq!((forced.code, content().starts_with("id,customer")), (0, true));
}

#[test]
fn a_template_that_is_not_there_is_not_found() {
    let ended = tidemill(&["init", "githbu"]);

    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("did you mean `github`?"), "{}", ended.stderr);
}
