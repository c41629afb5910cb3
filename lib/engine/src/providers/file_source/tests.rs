use crate::Budget;
use crate::providers::testing::{Bench, End, nodes};
use serde_json::{Value as Tree, json};
use std::fs;
use tempfile::TempDir;

fn world(files: &[(&str, &[u8])]) -> TempDir {
    let world = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = world.path().join("in").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    world
}

async fn read(world: &TempDir, config: Tree, lane: &'static str) -> Result<End, crate::Error> {
    let plan = nodes(&[("file_source", config, lane), ("response", json!({}), "")]);
    // One object a step, so that the position of every object is saved; the state itself is tested by the sink's tests.
    Bench::new().folder(world.path()).run_within(&plan, &Budget { objects: 1, ..Budget::default() }).await
}

#[tokio::test]
async fn each_format_becomes_objects() {
    let world = world(&[
        ("a.ndjson", b"{\"n\":1}\n\n {\"n\":2}\r\n3"),
        ("a.csv", b"\xef\xbb\xbfid,name\n1,\"x\ny\"\n2,z\n"),
        ("a.txt", b"one\r\n\ntwo"),
    ]);
    for (file, lane, expected) in [
        ("a.ndjson", "documents", json!([{ "n": 1 }, { "n": 2 }, 3])),
        ("a.csv", "documents", json!([{ "id": "1", "name": "x\ny" }, { "id": "2", "name": "z" }])),
        ("a.txt", "documents", json!([{ "text": "one" }, { "text": "" }, { "text": "two" }])),
        ("a.txt", "text", json!(["one\n\n\n\ntwo\n\n"])),
    ] {
        let end = read(&world, json!({ "path": file }), lane).await.unwrap();

        assert_eq!(end.result[lane], expected, "{file}");
    }
}

#[tokio::test]
async fn a_pattern_reads_its_files_in_order_and_ids_name_the_line() {
    let world = world(&[("b/2.txt", b"c"), ("b/1.txt", b"a\nb"), ("b/3.md", b"x")]);
    let plan = nodes(&[
        ("file_source", json!({ "path": "b/*.txt" }), "text"),
        ("json", json!({ "program": "\"\\($object.id) \\($object.line) \\($object.file) \\(.)\"" }), "text"),
        ("response", json!({}), ""),
    ]);

    let end = Bench::new().folder(world.path()).run(&plan).await.unwrap();

    assert_eq!(
        end.result["text"],
        json!(["b/1.txt:1 1 b/1.txt a\n\nb/1.txt:2 2 b/1.txt b\n\nb/2.txt:1 1 b/2.txt c\n\n"])
    );
    assert_eq!(end.counts.objects, 3);
}

#[tokio::test]
async fn a_bad_line_ends_the_run_or_is_skipped() {
    let world = world(&[("a.ndjson", b"1\n{oops}\n\xff\n4\n"), ("a.csv", b"a,b\n1\n2,3\n")]);

    let error = read(&world, json!({ "path": "a.ndjson" }), "documents").await.unwrap_err();
    let end = read(&world, json!({ "path": "a.ndjson", "on_error": "skip" }), "documents").await.unwrap();
    let row = read(&world, json!({ "path": "a.csv" }), "documents").await.unwrap_err();

    assert!(error.message.starts_with("line `a.ndjson:2` is not valid: "), "{}", error.message);
    assert_eq!(end.result["documents"], json!([1, 4]));
    assert_eq!(end.counted("file_source_0"), (0, 2, 0, "2: the line is not valid".to_owned()));
    assert_eq!(end.log.len(), 2);
    assert_eq!(row.message, "line `a.csv:2` is not valid: it has 1 columns, the first row has 2");
}

#[tokio::test]
async fn a_column_that_comes_twice_ends_the_run_and_loses_no_value() {
    let world = world(&[("a.csv", b"id,amount, amount\n1,2,3\n"), ("b.csv", b"id,amount,amount\n1,2,3\n")]);

    let apart = read(&world, json!({ "path": "a.csv" }), "documents").await.unwrap();
    let error = read(&world, json!({ "path": "b.csv", "on_error": "skip" }), "documents").await.unwrap_err();

    assert_eq!(apart.result["documents"], json!([{ "id": "1", "amount": "2", " amount": "3" }]));
    assert_eq!(error.message, "file `b.csv` has the column `amount` twice");
}

#[tokio::test]
async fn a_line_or_row_without_end_is_refused_with_the_limit() {
    let mut endless = b"a\n\"".to_vec();
    endless.resize(13_000_000, b'x');
    let world = world(&[("a.txt", &endless), ("a.csv", &endless)]);

    for file in ["a.txt", "a.csv"] {
        let error = read(&world, json!({ "path": file }), "text").await.unwrap_err();

        assert!(error.message.contains("6 MB"), "{}", error.message);
    }
}

#[tokio::test]
async fn no_match_is_a_warning_and_a_missing_file_an_error() {
    let world = world(&[("a.txt", b"")]);

    let end = read(&world, json!({ "path": "*.nope" }), "text").await.unwrap();
    let error = read(&world, json!({ "path": "nope.txt" }), "text").await.unwrap_err();

    assert_eq!(end.log[0].message, "no file matches `*.nope`");
    assert_eq!(end.counted("file_source_0"), (0, 0, 0, "1: no file matches the pattern".to_owned()));
    assert_eq!(error.message, "file `nope.txt` is not found");
}

#[tokio::test]
async fn without_folders_nothing_is_read() {
    let plan = nodes(&[("file_source", json!({ "path": "a" }), "text"), ("response", json!({}), "")]);

    let error = Bench::new().run(&plan).await.unwrap_err();

    assert!(error.hint.unwrap().contains("local plane"));
}
