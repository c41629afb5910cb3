//! `tidemill deploy --preview`: what would change, of graphs and of time, and that nothing does.

use crate::given::Plane;
use insta::assert_snapshot;
use regex::Regex;

/// Instants give way to `[time]`, and how far they are to `[while]`.
fn without_times(text: &str) -> String {
    let times = Regex::new(r"(\w{3} )?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap().replace_all(text, "[time]");
    Regex::new(r"in \d+ (s|min|h)( \d+ s)?").unwrap().replace_all(&times, "in [while]").into_owned()
}

#[test]
fn a_preview_shows_graphs_and_times_and_changes_nothing() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b", "c"], "old");
    plane.tidemill(&["deploy", "night", "--schedule", "0 * * * *"]);
    plane.folder("night", &["a", "b", "d"], "old");
    let pipeline = std::fs::read_to_string(plane.folder.path().join("night/a.pipe")).unwrap();
    std::fs::write(plane.folder.path().join("night/a.pipe"), pipeline.replace("\"old\"", "\"hush\"")).unwrap();

    let preview = plane.tidemill(&["deploy", "night", "--preview", "--prune"]);
    let half = plane.tidemill(&["deploy", "night/b.pipe", "--preview", "--schedule", "0,30 * * * *"]);

    assert_eq!(preview.code, 0, "{}", preview.stderr);
    assert_snapshot!(without_times(&preview.stdout), @"
    a rollout of `night` would
    update `a`, now version 1
      ~ text: config.template
      due as before, `0 * * * *` UTC: next in [while]
    leave `b` as it is, version 1
    create `d`
      + now (timer)
      + text (template)
      + out (response)
      + now → text on documents
      + text → out on text
      ~ starts at now
    remove `c`
      due `0 * * * *` UTC → never
      DUE (UTC)                    BEFORE  AFTER
      [time] UTC  due     -      dropped
      [time] UTC  due     -      dropped
      [time] UTC  due     -      dropped
      [time] UTC  due     -      dropped
      [time] UTC  due     -      dropped
      [time] UTC  due     -      dropped
      [time] UTC  due     -      dropped
      [time] UTC  due     -      dropped
      [time] UTC  due     -      dropped
      [time] UTC  due     -      dropped
    ");
    let changes = |word: &str| half.stdout.lines().filter(|line| line.ends_with(word)).count();
    assert_eq!((changes("added"), changes("dropped")), (5, 0), "{}", half.stdout);
    assert_eq!(plane.deployed(), ["a", "b", "c"]);
    assert_eq!(
        plane.tidemill(&["rollouts", "--group", "night", "--json"]).json()["items"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_preview_of_pipelines_that_cannot_run_shows_every_problem_and_exits_with_1() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    plane.write_broken("night/bad.pipe", "bad");

    let preview = plane.tidemill(&["deploy", "night", "--preview"]);
    let json = plane.tidemill(&["deploy", "night", "--preview", "--json"]);

    assert_eq!((preview.code, json.code), (1, 1));
    assert!(preview.stderr.contains("`nope`") && preview.stderr.contains("`none`"), "{}", preview.stderr);
    assert_eq!(json.error_json()["details"].as_array().unwrap().len(), 2, "{}", json.stderr);
}

#[test]
fn a_preview_of_what_would_fail_exits_with_1() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    plane.tidemill(&["deploy", "night"]);

    let preview = plane.tidemill(&["deploy", "night", "--group", "day", "--preview"]);

    assert_eq!(preview.code, 1);
    assert_snapshot!(preview.stderr, @"
    warning: night/a.pipe:1:71: source `now` is a timer, but no schedule starts this pipeline (deploy it with a schedule, e.g. `0 7 * * *`; without one it runs by hand alone)
    error: `a`: project `a` belongs to the group `night`; deploy `night` without it and keep what is gone, or remove the project
    ");
}

#[test]
fn a_preview_names_what_has_gone_from_the_folder() {
    let plane = Plane::new();
    plane.folder("night", &["a", "b"], "x");
    plane.tidemill(&["deploy", "night"]);
    plane.folder("night", &["a"], "x");

    let preview = plane.tidemill(&["deploy", "night", "--preview"]);

    assert_eq!(preview.code, 0);
    assert!(preview.stderr.contains("gone from the folder and still deployed: `b`"), "{}", preview.stderr);
}
