//! JSON: for a person in lines and colours, for a script as it was sent, and what a jq program gives of it.

use crate::command::tidemill;
use crate::given::Plane;
use crate::given_terminal::on_terminal;
use serde_json::Value;

fn given() -> Plane {
    let plane = Plane::new();
    plane.folder("night", &["a", "b"], "x");
    assert_eq!(plane.tidemill(&["deploy", "night"]).code, 0);
    plane
}

#[test]
fn json_is_indented_and_coloured_on_a_terminal_alone() {
    let plane = given();
    let arguments = ["status", "a", "--json", "--url", plane.url.as_str()];

    let coloured = on_terminal(80, plane.folder.path(), &[], &arguments);
    let bare = on_terminal(80, plane.folder.path(), &[("NO_COLOR", "1")], &arguments);
    let piped = plane.tidemill(&["status", "a", "--json"]);

    assert!(coloured.contains('\u{1b}') && coloured.lines().count() > 10, "{coloured}");
    assert!(bare.starts_with("{\n  \"project\": \"a\",\n  \"state\": ") && !bare.contains('\u{1b}'), "{bare}");
    assert_eq!(piped.stdout.lines().count(), 1);
    assert_eq!(serde_json::from_str::<Value>(&bare).unwrap(), piped.json());
}

#[test]
fn a_jq_program_filters_the_answer_and_prints_texts_without_quotes() {
    let plane = given();

    assert_eq!(plane.tidemill(&["list", "--jq", ".items[].project"]).stdout, "a\nb\n");
    assert_eq!(plane.tidemill(&["list", "--json", "--jq", ".items | length"]).stdout, "2\n");
    assert_eq!(
        plane.tidemill(&["status", "a", "--jq", "{project, version}"]).stdout,
        "{\"project\":\"a\",\"version\":1}\n"
    );
    assert_eq!(tidemill(&["providers", "timer", "--jq", ".class"]).stdout, "source\n");
    let lines = on_terminal(80, plane.folder.path(), &[], &["status", "a", "--jq", "{project}", "--url", &plane.url]);
    assert!(lines.contains('\u{1b}') && lines.lines().count() == 3, "{lines}");
    let failed = plane.tidemill(&["list", "--jq", ".items.project"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (1, ""));
    assert_eq!(failed.error_json()["code"], "jq");
}

#[test]
fn a_broken_jq_program_is_refused_before_anything_is_changed() {
    let plane = given();

    for program in [".items[", "nothing_of_the_kind", "env", "input"] {
        let refused = plane.tidemill(&["remove", "a", "--yes", "--jq", program]);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{program}");
        assert_eq!(refused.error_json()["code"], "usage", "{program}");
    }

    assert_eq!(plane.deployed(), ["a", "b"]);
    let nowhere = tidemill(&["list", "--jq", ".[", "--url", "http://127.0.0.1:1", "--key", "x"]);
    assert_eq!(nowhere.code, 2, "nothing was asked: {}", nowhere.stderr);
}

#[test]
fn a_stream_has_an_object_in_a_line_on_a_terminal_too_and_is_filtered_line_by_line() {
    let plane = Plane::new();
    let template = serde_json::json!({"id": "post", "provider": "log", "config": {}});
    let pipeline = serde_json::json!({"project_id": "orders", "source": "now", "components": [
        {"id": "now", "provider": "timer", "config": {}},
        {"id": "post", "provider": template["provider"], "config": {}, "input": [{"lane": "text", "from": "now"}]},
    ]});
    std::fs::write(plane.folder.path().join("orders.pipe"), pipeline.to_string()).unwrap();
    assert_eq!(plane.tidemill(&["deploy", "orders.pipe"]).code, 0);
    assert_eq!(plane.tidemill(&["run", "orders", "--follow"]).code, 0);

    let run = plane.tidemill(&["runs", "--jq", ".items[0].id"]).stdout.trim().to_owned();
    let piped = plane.tidemill(&["logs", &run, "--follow", "--json"]).stdout;
    let shown = on_terminal(80, plane.folder.path(), &[], &["logs", &run, "--follow", "--json", "--url", &plane.url]);
    let filtered = plane.tidemill(&["logs", &run, "--follow", "--jq", ".component"]).stdout;

    assert!(piped.lines().count() >= 1, "{piped}");
    assert!(piped.lines().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()), "{piped}");
    assert_eq!(shown, piped);
    assert!(filtered.lines().count() == piped.lines().count() && filtered.contains("post\n"), "{filtered}");
}
