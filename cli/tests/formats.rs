//! Pipelines in YAML and in JSON with comments.

use crate::command::{CommandOutput, tidemill_in, tidemill_reading};
use crate::given::Plane;

const YAML: &str = "\
# A comment.
schedule: '@daily'
pipeline:
  project_id: orders
  components:
    - id: 'on'
      provider: timer
      config: {}
    - id: text
      provider: template
      config: {template: no}
      input: [{lane: documents, from: on}]
    - id: out
      provider: response
      config: {}
      input: [{lane: text, from: text}]
";

const JSONC: &str = r#"// A comment.
{
  "project_id": "orders", /* with a slip below */
  "components": [
    {"id": "on", "provider": "timer", "config": {}},
    {"id": "out", "provider": "response", "config": {}, "input": [{"lane": "text", "from": "on"}],},
  ],
}
"#;

fn validate(file: &str, text: &str) -> CommandOutput {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), text).unwrap();
    tidemill_in(folder.path(), &["validate", file], "")
}

#[test]
fn a_sound_pipeline_is_valid_in_each_format() {
    for (file, text) in [("a.yaml", YAML), ("a.yml", YAML), ("A.YAML", YAML), ("a.jsonc", JSONC)] {
        let ended = validate(file, text);
        assert_eq!(ended.code, 0, "{file}: {}", ended.stdout);
        assert!(ended.stdout.contains("on →"), "{}", ended.stdout);
    }
    for text in [YAML, JSONC] {
        assert_eq!(tidemill_reading(&["validate", "-"], text).code, 0);
    }
}

#[test]
fn a_problem_is_named_with_its_place_in_each_format() {
    let cases = [
        ("a.yaml", YAML.replace("template\n", "tempalte\n"), "error: a.yaml:10:17: component `text`"),
        ("a.yaml", YAML.replace("from: text", "from: texd"), "error: a.yaml:16:34: component `out`"),
        ("a.jsonc", JSONC.replace("timer", "tymer"), "error: a.jsonc:5:30: component `on`"),
        ("a.yaml", YAML.replace("'@daily'", "*/5 * * * *"), "error: a.yaml:2:11: "),
        ("a.yaml", "é: [1,\n".to_owned(), "error: a.yaml:2:1: "),
        ("a.yaml", YAML.replace("schedule:", "shedule:"), "error: a.yaml:2:10: deploy file has the unknown field"),
        ("a.yaml", format!("{YAML}pipeline: {{}}\n"), "error: a.yaml:17:1: deploy file has the key `pipeline` twice"),
        ("a.jsonc", JSONC.replace("\"id\": \"on\"", "\"id\": on"), "error: a.jsonc:5:12: "),
        ("a.jsonc", "{\"a\": 1,\n \"a\": 2}".to_owned(), "error: a.jsonc:2:2: deploy file has the key `a` twice"),
        ("a.json", JSONC.to_owned(), "error: a.json:1:1: deploy file is not JSON"),
        (
            "a.json",
            JSONC.to_owned(),
            "error: a.json:1:1: deploy file is not JSON: expected value at line 1 column 1 (JSON has no comments",
        ),
    ];
    for (file, text, expected) in cases {
        let ended = validate(file, &text);
        assert_eq!(ended.code, 1, "{expected}: {}", ended.stdout);
        assert!(ended.stdout.starts_with(expected), "{expected}: {}", ended.stdout);
    }
}

#[test]
fn a_schema_for_editors_is_accepted_in_silence() {
    let file = format!("$schema: https://example.com/schema\n{YAML}");
    let flat = JSONC.replacen('{', "{\"$schema\": \"schema.json\",", 1);

    for ended in [validate("a.yaml", &file), validate("a.jsonc", &flat)] {
        assert_eq!((ended.code, ended.stdout.contains("schema")), (0, false), "{}", ended.stdout);
    }
}

#[test]
fn a_folder_has_pipelines_in_all_formats_and_nothing_but_regular_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    write("a.yaml", YAML);
    write("b.jsonc", &JSONC.replace("\"orders\"", "\"second\""));
    write("compose.yml", "services: {web: {image: nginx}}\n");
    write("notes.txt", "no pipeline");
    let fifo = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.yaml")).status().unwrap();
    assert!(fifo.success());

    let ended = tidemill_in(folder.path(), &["validate", ".", "--json"], "");

    let files: Vec<String> = ended.json()["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["file"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((ended.code, files), (0, vec!["./a.yaml".to_owned(), "./b.jsonc".to_owned()]));
}

#[test]
fn a_broken_pipeline_in_a_folder_is_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), YAML.replace("config: {}\n", "config: {\n")).unwrap();

    let ended = tidemill_in(folder.path(), &["validate", "."], "");

    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("a.yaml:"), "{}", ended.stdout);
}

#[test]
fn a_deploy_keeps_the_text_and_an_update_of_the_same_text_changes_nothing() {
    let plane = Plane::new();
    std::fs::write(plane.folder.path().join("orders.yaml"), YAML).unwrap();

    let first = plane.tidemill(&["deploy", "orders.yaml"]);
    let again = plane.tidemill(&["deploy", "orders.yaml"]);
    let shown = plane.tidemill(&["versions", "show", "orders", "1"]);
    let as_json = plane.tidemill(&["versions", "show", "orders", "1", "--as-json"]);
    let run = plane.tidemill(&["run", "orders", "--follow"]);

    assert_eq!((first.code, again.code), (0, 0), "{}{}", first.stderr, again.stderr);
    assert_eq!(shown.stdout, YAML);
    assert_eq!(as_json.json()["components"][1]["config"]["template"], "no");
    assert_eq!(run.stdout.trim(), "no");
    let versions = plane.tidemill(&["versions", "orders", "--json"]).json();
    assert_eq!(versions["items"].as_array().unwrap().len(), 1, "{versions}");
}

#[test]
fn a_project_is_called_as_its_file_is_and_a_start_can_be_chosen() {
    let plane = Plane::new();
    let text = YAML.replace("  project_id: orders\n", "");
    std::fs::write(plane.folder.path().join("nightly.yaml"), &text).unwrap();

    let ended = plane.tidemill(&["deploy", "nightly.yaml"]);
    let added = plane.tidemill(&["versions", "add", "nightly.yaml"]);

    assert_eq!((ended.code, added.code), (0, 0), "{}{}", ended.stderr, added.stderr);
    assert!(
        ended.stderr.contains("nightly.yaml: pipeline has no `project_id`")
            && ended.stderr.contains("`project_id: nightly`"),
        "{}",
        ended.stderr
    );
    assert_eq!(plane.tidemill(&["versions", "show", "nightly", "2"]).stdout, text);
    assert_eq!(plane.tidemill(&["versions", "show", "nightly", "2", "--as-json"]).json()["project_id"], "nightly");
}
