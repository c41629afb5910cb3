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
async fn a_line_or_row_without_end_is_refused_with_the_limit() {
    let mut endless = b"a\n\"".to_vec();
    endless.resize(13_000_000, b'x');
    let world = world(&[("a.txt", &endless), ("a.csv", &endless)]);

    for file in ["a.txt", "a.csv"] {
        let error = read(&world, json!({ "path": file }), "text").await.unwrap_err();

        assert!(error.message.contains("6 MB"), "{}", error.message);
    }
}

/// The documents of one file, read in one go and anew after each row.
async fn documents(file: &str, content: &[u8], mut config: Tree) -> Tree {
    config["path"] = file.into();
    let world = world(&[(file, content)]);
    let plan = nodes(&[("file_source", config, "documents"), ("response", json!({}), "")]);
    let bench = Bench::new().folder(world.path());
    let (whole, pieces) = (bench.run(&plan).await.unwrap(), bench.run_in_pieces(&plan).await.unwrap());
    assert_eq!((&whole.result, whole.counts.objects), (&pieces.result, pieces.counts.objects), "{file}");
    whole.result["documents"].clone()
}

fn zipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, text).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn an_extension_counts_in_any_case_and_gzip_is_inflated() {
    let rows = json!([{ "a": "1" }, { "a": "2" }]);

    assert_eq!(documents("BANK.CSV", b"a\n1\n2\n", json!({})).await, rows);
    assert_eq!(documents("bank.csv.GZ", &zipped(b"\xef\xbb\xbfa\n1\n2\n"), json!({})).await, rows);
    assert_eq!(documents("x.JsonL.gz", &zipped(b"{\"a\":\"1\"}\n{\"a\":\"2\"}"), json!({})).await, rows);
}

#[tokio::test]
async fn csv_of_other_countries_is_read() {
    let row = json!([{ "Name": "Tür", "Größe": "1,5" }, { "Name": "x;y", "Größe": "é" }]);
    let text = "Name;Größe\r\nTür;1,5\r\n'x;y';é\r\n";
    let latin: Vec<u8> = text.chars().map(|character| character as u8).collect();
    let utf_16: Vec<u8> = ["\u{feff}", text].concat().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let config = json!({ "delimiter": ";", "quote": "'", "encoding": "ISO-8859-1" });

    assert_eq!(documents("a.csv", &latin, config.clone()).await, row);
    assert_eq!(documents("a.csv.gz", &zipped(&latin), config.clone()).await, row);
    assert_eq!(documents("a.csv", &utf_16, config.clone()).await, row);
    assert_eq!(documents("a.csv", ["\u{feff}", text].concat().as_bytes(), config.clone()).await, row);
    let marked = ["sep=;\n", text].concat();
    assert_eq!(documents("a.csv", marked.as_bytes(), json!({ "quote": "'" })).await, row);
    assert_eq!(
        documents("a.csv", b"\xef\xbb\xbfsep=\t\r\na\tb\n\"1\t2\n", json!({ "quote": "" })).await,
        json!([{ "a": "\"1", "b": "2" }])
    );
}

#[tokio::test]
async fn every_value_has_a_name_of_its_own() {
    let header = b"n,n,n_2,,n\n1,2,3,4,5\n";

    assert_eq!(
        documents("a.csv", header, json!({})).await,
        json!([{ "n": "1", "n_3": "2", "n_2": "3", "column_4": "4", "n_4": "5" }])
    );
    assert_eq!(
        documents("a.csv", b"1,2\n3,4\n", json!({ "header": false })).await,
        json!([{ "column_1": "1", "column_2": "2" }, { "column_1": "3", "column_2": "4" }])
    );
}

#[tokio::test]
async fn a_ragged_or_undecodable_row_fails_is_skipped_or_is_mended() {
    let rows = b"a,b\n1\n2,3,4\n\xff,5\n6,7\n";
    let world = world(&[("a.csv", rows), ("sjis.csv", b"a\n\x81\x20\n\x82\xa0\n")]);

    let fails = read(&world, json!({ "path": "sjis.csv", "encoding": "shift_jis" }), "documents").await.unwrap_err();
    let skips = read(&world, json!({ "path": "a.csv", "on_error": "skip" }), "documents").await.unwrap();

    assert_eq!(fails.message, "line `sjis.csv:2` is not valid: it is not Shift_JIS");
    assert_eq!((&skips.result["documents"], skips.log.len()), (&json!([{ "a": "6", "b": "7" }]), 3));
    assert_eq!(
        documents("a.csv", rows, json!({ "on_error": "pad" })).await,
        json!([{ "a": "1", "b": "" }, { "a": "2", "b": "3", "column_3": "4" }, { "a": "\u{fffd}", "b": "5" }, { "a": "6", "b": "7" }])
    );
}

#[tokio::test]
async fn a_name_as_it_stands_comes_before_the_pattern() {
    assert_eq!(documents("report[1].csv", b"a\n1\n", json!({})).await, json!([{ "a": "1" }]));
}

#[tokio::test]
async fn a_torn_archive_and_an_unknown_encoding_are_errors() {
    let zipped = zipped(b"a\n1\n2\n");
    let world = world(&[("a.csv.gz", &zipped[..zipped.len() - 9]), ("a.txt", b"a")]);

    let torn = read(&world, json!({ "path": "a.csv.gz" }), "documents").await.unwrap_err();
    let unknown = read(&world, json!({ "path": "a.txt", "encoding": "klingon" }), "text").await.unwrap_err();

    assert!(torn.message.starts_with("file `a.csv.gz` cannot be read: "), "{}", torn.message);
    assert_eq!(unknown.message, "the encoding `klingon` does not exist");
}

#[tokio::test]
async fn no_match_is_a_warning_and_a_missing_file_an_error() {
    let world = world(&[("a.txt", b"")]);

    let end = read(&world, json!({ "path": "*.nope" }), "text").await.unwrap();
    let error = read(&world, json!({ "path": "nope.txt" }), "text").await.unwrap_err();

    assert_eq!(end.log[0].message, "no file matches `*.nope`");
    assert_eq!(end.counted("file_source_0"), (0, 0, 0, "1: no file matches the pattern".to_owned()));
    assert_eq!(error.message, "file `nope.txt` is not found");
    let hint = error.hint.unwrap();
    assert!(hint.contains(world.path().join("in").to_str().unwrap()) && hint.contains("--allow-files"), "{hint}");
}

#[tokio::test]
async fn without_folders_nothing_is_read() {
    let plan = nodes(&[("file_source", json!({ "path": "a" }), "text"), ("response", json!({}), "")]);

    let error = Bench::new().run(&plan).await.unwrap_err();

    assert!(error.hint.unwrap().contains("local plane"));
}
