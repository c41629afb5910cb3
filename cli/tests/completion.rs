//! Completions, asked for as shells do.

use crate::command::tidemill;
use crate::given::Plane;
use crate::given_door::{Act, Door};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The answer to a shell that completes the last one of these words.
fn completed(shell: &str, folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidemill"))
        .arg("--")
        .arg("tidemill")
        .args(words)
        .current_dir(folder)
        .env_remove("TIDEMILL_URL")
        .env_remove("TIDEMILL_KEY")
        .env("COMPLETE", shell)
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// The names that are offered, without options.
fn names(plane: &Plane, words: &[&str]) -> Vec<String> {
    let output = completed("bash", plane.folder.path(), words, &[("TIDEMILL_URL", &plane.url)]);
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|word| !word.starts_with('-')).map(str::to_owned).collect()
}

/// A plane with two projects in a group, two versions, an environment, a secret, a key, a run and a rollout.
fn given() -> Plane {
    let plane = Plane::new();
    plane.folder("night", &["orders", "refunds"], "x");
    plane.write("orders.pipe", "y");
    for arguments in [
        ["deploy", "night"].as_slice(),
        &["versions", "add", "orders.pipe", "--env", "staging"],
        &["secrets", "set", "API_TOKEN", "--value", "x"],
        &["keys", "create", "--name", "ci"],
        &["run", "orders", "--follow"],
    ] {
        let ended = plane.tidemill(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
    }
    plane
}

#[test]
fn names_are_those_that_the_plane_knows() {
    let plane = given();
    let ids = |list: &[&str]| {
        let ids = plane.tidemill(&[list, &["--jq", ".items[].id"]].concat()).stdout;
        ids.lines().map(str::to_owned).collect::<Vec<_>>()
    };

    for project in [["status", ""].as_slice(), &["pause", ""], &["ticks", ""], &["run", ""], &["env", "show", ""]] {
        assert_eq!(names(&plane, project), ["orders", "refunds"], "{project:?}");
    }
    assert_eq!(names(&plane, &["status", "ref"]), ["refunds"]);
    assert_eq!(names(&plane, &["rm", "o"]), ["orders"]);
    assert_eq!(names(&plane, &["list", "--group", ""]), ["night"]);
    assert_eq!(names(&plane, &["groups", "n"]), ["night"]);
    assert_eq!(names(&plane, &["env", "deploy", "orders", "--env", "s"]), ["staging"]);
    assert_eq!(names(&plane, &["promote", "orders", "--from", ""]), ["staging"]);
    assert_eq!(names(&plane, &["secrets", "remove", ""]), ["API_TOKEN"]);
    assert_eq!(names(&plane, &["versions", "show", "orders", ""]), ["2", "1"]);
    assert_eq!(names(&plane, &["rollback", "orders", "--to", ""]), ["2", "1"]);
    assert_eq!(names(&plane, &["env", "deploy", "refunds", ""]), ["1"]);
    assert_eq!(names(&plane, &["logs", "0"]), ids(&["runs"]));
    assert_eq!(names(&plane, &["rollout", "show", "0"]), ids(&["rollouts"]));
    assert_eq!(names(&plane, &["keys", "revoke", "0"]).len(), 2);
    assert_eq!(names(&plane, &["providers", "tim"]), ["timer"]);
}

#[test]
fn files_are_offered_where_a_file_is_meant() {
    let plane = given();

    assert!(names(&plane, &["deploy", "or"]).contains(&"orders.pipe".to_owned()));
    assert_eq!(names(&plane, &["versions", "add", "or"]), ["orders.pipe"]);
    assert_eq!(names(&plane, &["run", "orders", "--input", "@or"]), ["@orders.pipe"]);
    assert!(!names(&plane, &["status", ""]).contains(&"orders.pipe".to_owned()));
}

#[test]
fn the_plane_is_the_one_of_the_line() {
    let (plane, empty) = (given(), Plane::new());
    let folder = empty.folder.path();
    let data = plane.folder.path().join(".tidemill");
    let (data, text) = (data.to_str().unwrap(), |output: Output| String::from_utf8(output.stdout).unwrap());

    let here = text(completed("bash", folder, &["status", "o"], &[("TIDEMILL_URL", &empty.url)]));
    let line = ["--url", plane.url.as_str(), "status", "--data", data, "o"];
    let there = text(completed("bash", folder, &line, &[("TIDEMILL_URL", &empty.url)]));

    assert_eq!((here.as_str(), there.as_str()), ("", "orders"));
}

#[test]
fn every_shell_is_told_what_a_name_is() {
    let plane = given();
    for shell in ["zsh", "fish"] {
        let output = completed(shell, plane.folder.path(), &["status", "o"], &[("TIDEMILL_URL", &plane.url)]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("orders") && text.contains("active"), "{shell}: {text}");
    }
}

#[test]
fn a_name_that_bash_would_take_apart_is_a_word_of_it_and_other_shells_quote_it_themselves() {
    let plane = Plane::new();
    plane.write("orders.pipe", "x");
    let file = plane.folder.path().join("orders.pipe");
    let pipeline = std::fs::read_to_string(&file).unwrap().replace("\"orders\"", "\"the shop's orders\"");
    std::fs::write(&file, pipeline).unwrap();
    assert_eq!(plane.tidemill(&["deploy", "orders.pipe"]).code, 0);
    let at = [("TIDEMILL_URL", plane.url.as_str())];
    let text = |shell: &str, word: &str| {
        let output = completed(shell, plane.folder.path(), &["status", word], &at);
        String::from_utf8(output.stdout).unwrap()
    };

    assert_eq!(text("bash", "the"), "the\\ shop\\'s\\ orders");
    assert_eq!(text("bash", "the\\ sh"), "the\\ shop\\'s\\ orders");
    assert!(text("fish", "the").starts_with("the shop's orders\tactive"), "{}", text("fish", "the"));
}

#[test]
fn a_plane_that_does_not_answer_is_silent_within_a_second_or_so() {
    let plane = given();
    let door = Door::before(&plane.url, |_, _| Act::Hold);

    let started = Instant::now();
    let held = completed("bash", plane.folder.path(), &["status", "o"], &[("TIDEMILL_URL", &door.url)]);
    let took = started.elapsed();
    let gone = completed("bash", plane.folder.path(), &["status", "o"], &[("TIDEMILL_URL", "http://127.0.0.1:1")]);
    let wrong = completed("bash", plane.folder.path(), &["status", "o"], &[("TIDEMILL_URL", "nonsense")]);

    assert_eq!(door.asked("/v1/deployments"), 1);
    for output in [held, gone, wrong] {
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    }
    assert!(took >= Duration::from_millis(900) && took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn what_a_shell_runs_at_its_start_asks_the_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = tidemill(&["completions", shell]);
        assert_eq!(script.code, 0, "{}", script.stderr);
        assert!(script.stdout.contains("COMPLETE") && script.stdout.contains("tidemill"), "{shell}: {}", script.stdout);
        let help = tidemill(&["completions", "--help"]).stdout;
        assert!(help.contains(&format!("tidemill completions {shell}")), "{help}");
    }
}

#[test]
fn bash_completes_a_project_after_the_script_is_read() {
    let plane = given();
    let script = format!(
        "source <({program} completions bash); COMP_WORDS=(tidemill status ref); COMP_CWORD=2; COMP_TYPE=9; \
         _clap_complete_tidemill tidemill ref status 2>/dev/null; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        program = env!("CARGO_BIN_EXE_tidemill")
    );

    let output = Command::new("bash")
        .args(["--norc", "-c", &script])
        .current_dir(plane.folder.path())
        .env("TIDEMILL_URL", &plane.url)
        .env_remove("TIDEMILL_KEY")
        .output()
        .unwrap();

    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim(),
        "refunds",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
