//! `tidemill try`: a pipeline without a plane.

use crate::command::{CommandOutput, tidemill_in};
use crate::server::Server;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const PIPELINE: &str = "\
project_id: words
components:
  - {id: hook, provider: webhook, config: {}}
  - id: split
    provider: json
    config: {program: '.words[]'}
    input: [{lane: documents, from: hook}]
  - id: once
    provider: dedupe
    config: {}
    input: [{lane: text, from: split}]
  - id: line
    provider: template
    config: {template: 'word ${TOKEN}: {{ value }}'}
    input: [{lane: text, from: once}]
  - {id: file, provider: file_sink, config: {path: out/words.txt}, input: [{lane: text, from: line}]}
  - {id: result, provider: response, config: {}, input: [{lane: text, from: once}]}
";

const INPUT: [&str; 2] = ["--input", r#"{"words": ["tide", "mill", "tide"]}"#];
const TOKEN: [&str; 2] = ["--env", "TOKEN=a-secret-token"];

fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), text).unwrap();
    folder
}

fn try_in(folder: &Path, arguments: &[&str]) -> CommandOutput {
    tidemill_in(folder, &[&["try", "a.yaml"], arguments].concat(), "")
}

#[test]
fn each_component_is_shown_with_its_counts_and_values_and_nothing_stays() {
    let folder = folder(PIPELINE);
    let arguments = [INPUT, TOKEN].concat();

    let first = try_in(folder.path(), &arguments);
    let second = try_in(folder.path(), &arguments);

    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    for line in [
        "hook (webhook): 1 out",
        "split (json): 1 in, 3 out",
        "once (dedupe): 3 in, 2 out, 1 filtered",
        "  text: mill",
        "would write",
        "`out/words.txt`",
        "result:",
    ] {
        assert!(first.stdout.contains(line), "{line}: {}", first.stdout);
    }
    assert!(!first.stdout.contains("a-secret-token"), "{}", first.stdout);
    assert_eq!(first.stdout, second.stdout, "the memory of `dedupe` is thrown away");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");
}

#[test]
fn scripts_read_the_same_as_json() {
    let ended = try_in(folder(PIPELINE).path(), &[INPUT.as_slice(), &TOKEN, &["--json"]].concat());

    let report = ended.json();
    assert_eq!((ended.code, &report["state"]), (0, &"succeeded".into()));
    assert_eq!((&report["components"][2]["in"], &report["components"][2]["filtered"]), (&3.into(), &1.into()));
    assert_eq!(report["wouldWrite"][0]["file"], "out/words.txt");
    assert!(report["result"]["text"].to_string().contains("tide"));
}

#[test]
fn with_write_the_files_stay() {
    let folder = folder(PIPELINE);

    let ended = try_in(folder.path(), &[INPUT.as_slice(), &TOKEN, &["--write"]].concat());

    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let written = std::fs::read_to_string(folder.path().join(".tidemill/files/dev/out/words.txt")).unwrap();
    assert_eq!(written, "word a-secret-token: tide\nword a-secret-token: mill\n");
}

#[test]
fn a_failure_names_the_component_its_place_and_a_hint() {
    let broken = PIPELINE.replace("'.words[]'", "'.words[] | tonumber'");

    let ended = try_in(folder(&broken).path(), &[INPUT, TOKEN].concat());

    assert_eq!(ended.code, 1, "{}", ended.stdout);
    assert!(ended.stdout.contains("split (json): 1 in"), "{}", ended.stdout);
    assert!(ended.stderr.contains("component `split`") && ended.stderr.contains("a.yaml:4:5"), "{}", ended.stderr);
}

#[test]
fn what_is_missing_is_said_before_anything_runs() {
    let folder = folder(PIPELINE);

    let no_token = try_in(folder.path(), &INPUT);
    let not_exported = try_in(folder.path(), &["--env", "TIDEMILL_TEST_NOT_SET"]);
    let no_input = try_in(folder.path(), &TOKEN);
    let broken = try_in(self::folder(&PIPELINE.replace("webhook", "webhok")).path(), &[]);

    assert_eq!((no_token.code, not_exported.code, no_input.code, broken.code), (1, 2, 0, 1));
    assert!(no_token.stderr.contains("`${TOKEN}`") && no_token.stderr.contains("--env TOKEN"), "{}", no_token.stderr);
    assert!(no_input.stderr.contains("`hook` waits for an object"), "{}", no_input.stderr);
    assert!(broken.stderr.contains("a.yaml:3:26"), "{}", broken.stderr);
}

#[test]
fn a_request_that_may_change_something_is_sent_only_with_write() {
    let server = Server::answering(r#"{"state": "ok"}"#);
    let pipeline = format!(
        "project_id: a\ncomponents:\n- {{id: t, provider: timer, config: {{}}}}\n\
         - {{id: read, provider: http_request, config: {{url: '{0}/state', method: GET}}, input: [{{lane: documents, from: t}}]}}\n\
         - {{id: send, provider: http_request, config: {{url: '{0}/message', body: 'it is {{{{ value.state }}}}'}}, input: [{{lane: documents, from: read}}]}}\n\
         - {{id: out, provider: response, config: {{}}, input: [{{lane: text, from: send}}]}}\n",
        server.url
    );
    let folder = folder(&pipeline);

    let refused = try_in(folder.path(), &[]);
    let shown = try_in(folder.path(), &["--allow-private-network"]);
    assert_eq!((refused.code, shown.code), (1, 0), "{}", shown.stderr);
    assert!(shown.stdout.contains("would send POST") && shown.stdout.contains("8 bytes: it is ok"), "{}", shown.stdout);
    assert_eq!(server.requests(), ["GET /state"]);

    let sent = try_in(folder.path(), &["--allow-private-network", "--write"]);
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    assert_eq!(server.requests(), ["GET /state", "GET /state", "POST /message it is ok"]);
}

/// A component that asks a server which never answers.
fn waiting(folder: &Path) -> std::net::TcpListener {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let pipeline = format!(
        "project_id: a\ncomponents:\n- {{id: t, provider: timer, config: {{}}}}\n\
         - {{id: read, provider: http_request, config: {{url: '{url}', method: GET}}, input: [{{lane: documents, from: t}}]}}\n\
         - {{id: out, provider: response, config: {{}}, input: [{{lane: text, from: read}}]}}\n"
    );
    std::fs::write(folder.join("a.yaml"), pipeline).unwrap();
    silent
}

#[test]
fn a_run_that_takes_too_long_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let _silent = waiting(folder.path());

    let ended = try_in(folder.path(), &["--allow-private-network", "--timeout", "200ms"]);

    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("took longer"), "{}", ended.stderr);
}

#[test]
fn ctrl_c_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let silent = waiting(folder.path());
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidemill"))
        .args(["try", "a.yaml", "--allow-private-network"])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Its request is there, so it waits.
    let _request = silent.accept().unwrap();

    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();

    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let said: Vec<String> = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
    assert!(said.join("\n").contains("the run was stopped"), "{said:?}");
}
