use crate::Input;
use crate::providers::testing::{Bench, nodes};
use crate::{Budget, Execution};
use serde_json::{Value as Tree, json};
use std::fs;
use std::path::Path;
use tidemill_plan::Plan;

fn plan(config: Tree) -> Plan {
    nodes(&[
        ("webhook", json!({}), "documents"),
        ("json", json!({ "program": ".[]" }), "documents"),
        ("file_sink", config, ""),
    ])
}

fn bench(folder: &Path, run_id: &str, body: &str) -> Bench {
    let mut bench = Bench::new().folder(folder).input(Input::new("application/json", body.to_owned()));
    bench.context.run.run_id = run_id.to_owned();
    bench
}

#[tokio::test]
async fn runs_append_in_the_format_of_the_lane_or_the_one_asked_for() {
    let world = tempfile::tempdir().unwrap();
    let text = json!({ "path": "a/b/out.txt", "format": "text" });

    bench(world.path(), "r1", r#"[{"a": 1}, "x"]"#).run(&plan(json!({ "path": "a/out.ndjson" }))).await.unwrap();
    bench(world.path(), "r2", r#"[2]"#).run(&plan(json!({ "path": "a/out.ndjson" }))).await.unwrap();
    bench(world.path(), "r3", r#"["x\n", "y", {"a":1}]"#).run(&plan(text)).await.unwrap();

    assert_eq!(fs::read_to_string(world.path().join("out/a/out.ndjson")).unwrap(), "{\"a\":1}\n\"x\"\n2\n");
    assert_eq!(fs::read_to_string(world.path().join("out/a/b/out.txt")).unwrap(), "x\ny\n{\"a\":1}\n");
}

#[tokio::test]
async fn another_run_s_lines_are_never_cut_off() {
    let world = tempfile::tempdir().unwrap();
    let plan = plan(json!({ "path": "out" }));
    let budget = Budget::default();

    // The first run dies after its step, with the checkpoint saved.
    let first = bench(world.path(), "r1", "[1]");
    let saved =
        Execution::start(&plan, first.context.clone(), None).await.unwrap().step(&budget).await.unwrap().checkpoint;
    bench(world.path(), "r2", "[2]").run(&plan).await.unwrap();
    let mut resumed = Execution::start(&plan, first.context.clone(), Some(saved.clone())).await.unwrap();
    let log = resumed.step(&budget).await.unwrap().log;
    drop(resumed);
    // The same, once more: now the first run is the last owner, and its checkpoint is older than the other's lines.
    let again = Execution::start(&plan, first.context.clone(), Some(saved)).await.unwrap();
    drop(again);

    assert_eq!(fs::read_to_string(world.path().join("out/out")).unwrap(), "1\n2\n");
    assert!(log[0].message.contains("another run wrote to `out` meanwhile"), "{}", log[0].message);
}

#[tokio::test]
async fn a_run_that_died_before_its_first_checkpoint_starts_over() {
    let world = tempfile::tempdir().unwrap();
    let plan = plan(json!({ "path": "out" }));
    bench(world.path(), "r0", "[0]").run(&plan).await.unwrap();

    let host = bench(world.path(), "r1", "[1, 2]");
    Execution::start(&plan, host.context.clone(), None).await.unwrap().step(&Budget::default()).await.unwrap();
    host.run(&plan).await.unwrap();

    assert_eq!(fs::read_to_string(world.path().join("out/out")).unwrap(), "0\n1\n2\n");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_another_run_holds_is_a_passing_error() {
    let world = tempfile::tempdir().unwrap();
    let plan = plan(json!({ "path": "out" }));
    let holder = Execution::start(&plan, bench(world.path(), "r1", "[]").context, None).await.unwrap();

    let error = Execution::start(&plan, bench(world.path(), "r2", "[]").context, None).await.err().unwrap();
    drop(holder);
    let free = Execution::start(&plan, bench(world.path(), "r2", "[]").context, None).await;

    assert!(error.retryable && error.message.contains("is held by another run"), "{}", error.message);
    assert!(free.is_ok());
}

#[tokio::test]
async fn paths_outside_are_refused() {
    let world = tempfile::tempdir().unwrap();

    for path in ["../x", "/etc/x"] {
        let error = bench(world.path(), "r", "[]").run(&plan(json!({ "path": path }))).await.unwrap_err();

        assert!(error.message.contains("outside of the writable folder"), "{}", error.message);
    }
}
