//! The compiler, without a plane.

use crate::command::{CommandOutput, tidemill_in, tidemill_reading};

const ECHO: &str = r#"{
    "project_id": "echo",
    "source": "in",
    "components": [
        {"id": "in", "provider": "webhook", "config": {}},
        {"id": "out", "provider": "response_text", "config": {}, "input": [{"lane": "text", "from": "in"}]}
    ]
}"#;

fn validate(text: &str, arguments: &[&str]) -> CommandOutput {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pipe"), text).unwrap();
    tidemill_in(folder.path(), &[&["validate", "a.pipe"], arguments].concat(), "")
}

#[test]
fn a_sound_pipeline_is_valid_flat_and_in_a_wrapper() {
    let wrapped = format!(r#"{{"schedule": "manual", "pipeline": {ECHO}}}"#);

    for text in [ECHO, &wrapped, &format!("\u{feff}{ECHO}\n")] {
        let ended = validate(text, &["--json"]);
        assert_eq!(ended.code, 0, "{}", ended.stdout);
        assert_eq!(ended.json()["order"], serde_json::json!(["in", "out"]));
    }
}

#[test]
fn every_problem_names_its_component_and_a_hint() {
    let broken = ECHO.replace("webhook", "web_hook").replace(r#""from": "in""#, r#""from": "inn""#);

    let shown = validate(&broken, &[]);
    let object = validate(&broken, &["--json"]);

    assert_eq!((shown.code, object.code), (1, 1));
    assert!(
        shown.stdout.contains("error: a.pipe:5:34: component `in`") && shown.stdout.contains("`webhook`"),
        "{}",
        shown.stdout
    );
    let errors = object.json()["errors"].as_array().unwrap().clone();
    assert!(errors.len() >= 2, "{errors:?}");
    let out = errors.iter().find(|error| error["component"] == "out").unwrap();
    let place = (out["file"].as_str(), out["line"].as_u64(), out["column"].as_u64(), out["field"].as_str());
    assert_eq!(place, (Some("a.pipe"), Some(6), Some(101), Some("/components/1/input/0/from")));
    assert!(errors.iter().all(|error| error["hint"].is_string()), "{errors:?}");
}

#[test]
fn a_schedule_is_checked_with_the_pipeline() {
    let wrong = validate(ECHO, &["--schedule", "* * * *", "--json"]);
    let waiting = validate(ECHO, &["--schedule", "* * * * *", "--json"]);

    assert_eq!((wrong.code, waiting.code), (1, 0));
    assert_eq!(wrong.json()["errors"][0]["field"], "schedule");
    assert_eq!(waiting.json()["warnings"].as_array().unwrap().len(), 1, "{}", waiting.stdout);
}

#[test]
fn what_is_no_pipeline_is_refused_and_a_missing_file_is_not_found() {
    let text = tidemill_reading(&["validate", "-"], "not json");
    let missing = tidemill_reading(&["validate", "none.pipe"], "");

    assert_eq!((text.code, missing.code), (1, 3));
    assert!(missing.stderr.contains("cannot read `none.pipe`"), "{}", missing.stderr);
}

#[test]
fn a_folder_is_validated_file_by_file_as_it_would_be_deployed() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    let validate = |more: &[&str]| tidemill_in(folder.path(), &[&["validate", "."], more].concat(), "");
    write("a.pipe", ECHO);
    write("settings.json", "{}");

    let sound = validate(&["--json"]);
    write("b.pipe", &ECHO.replace("webhook", "web_hook"));
    let broken = validate(&[]);
    write("b.pipe", ECHO);
    let doubled = validate(&[]);

    assert_eq!((sound.code, broken.code, doubled.code), (0, 1, 1), "{}{}", sound.stderr, broken.stderr);
    let files = sound.json()["files"].as_array().unwrap().clone();
    assert_eq!(
        (files.len(), files[0]["file"].as_str(), files[0]["valid"].as_bool()),
        (1, Some("./a.pipe"), Some(true))
    );
    assert!(broken.stdout.contains("`./a.pipe` is valid") && broken.stdout.contains("`./b.pipe` has a problem"));
    assert!(doubled.stderr.contains("the project `echo` is in `./a.pipe` and in `./b.pipe`"), "{}", doubled.stderr);
}

#[test]
fn a_problem_in_a_wrapped_pipeline_is_found_where_it_stands_in_the_file() {
    let wrapped = format!("{{\"schedule\": \"manual\",\n\"pipeline\": {}}}", ECHO.replace("webhook", "web_hook"));

    let shown = validate(&wrapped, &[]);

    assert!(shown.stdout.contains("error: a.pipe:6:34: component `in`"), "{}", shown.stdout);
}

#[test]
fn a_pipeline_without_a_project_is_called_as_its_file_is_with_a_warning() {
    let nameless = ECHO.replace("\"project_id\": \"echo\",", "");

    let shown = validate(&nameless, &[]);
    let strict = validate(&nameless, &["--strict"]);
    let read = tidemill_reading(&["validate", "-"], &nameless);

    assert_eq!((shown.code, strict.code, read.code), (0, 1, 1), "{}", shown.stdout);
    assert!(shown.stdout.contains("its project is called `a`, as its file is"), "{}", shown.stdout);
    assert!(strict.stdout.contains("`a.pipe` has warnings, which `--strict` refuses"), "{}", strict.stdout);
    assert!(read.stdout.contains("pipeline has no `project_id`"), "{}", read.stdout);
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pipe"), ECHO).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("x.pipe")).status().unwrap();
    assert!(made.success());

    let all = tidemill_in(folder.path(), &["validate", "."], "");
    let named = tidemill_in(folder.path(), &["validate", "x.pipe"], "");

    assert_eq!((all.code, named.code), (0, 1), "{}", all.stderr);
    assert!(!all.stdout.contains("x.pipe"), "{}", all.stdout);
    assert!(named.stderr.contains("it is not a regular file"), "{}", named.stderr);
}

#[test]
fn a_source_can_be_chosen() {
    let two = ECHO.replace(
        "\"components\": [",
        "\"components\": [{\"id\": \"tick\", \"provider\": \"timer\", \"config\": {}},\n{\"id\": \"log\", \"provider\": \"log\", \
         \"config\": {}, \"input\": [{\"lane\": \"text\", \"from\": \"tick\"}]},",
    );

    assert_eq!(validate(&two, &["--json"]).json()["order"], serde_json::json!(["in", "out"]));
    assert_eq!(validate(&two, &["--source", "tick", "--json"]).json()["order"], serde_json::json!(["tick", "log"]));
}
