//! The examples do what they say, also with odd input.

use crate::given::{ran, run};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User};

/// The pipeline of an example.
fn example(name: &str) -> Value {
    let file = format!("{}/../examples/{name}/{name}.pipe", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(file).expect("the example is there");
    serde_json::from_str::<Value>(&text).expect("the example is JSON")["pipeline"].take()
}

/// Lines of nginx and Apache whose status is 5xx.
const ERRORS: [&str; 11] = [
    r#"1.1.1.1 - - [21/Nov/2026:04:40:58 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl""#,
    // The same line again is another request.
    r#"1.1.1.1 - - [21/Nov/2026:04:40:58 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl""#,
    r#"1.1.1.2 - - [21/Nov/2026:04:40:58 +0000] "-" 500 0 "-" "-""#,
    r#"1.1.1.3 - - [21/Nov/2026:04:40:58 +0000] "" 500 0 "-" "-""#,
    r#"1.1.1.4 - - [21/Nov/2026:04:40:58 +0000] "\x16\x03\x01\x02" 500 150 "-" "-""#,
    r#"1.1.1.5 - - [21/Nov/2026:04:40:58 +0000] "GET /say?\"hi\" HTTP/1.1" 503 1 "-" "x""#,
    r#"1.1.1.6 - - [21/Nov/2026:04:40:58 +0000] "GET /say?"hi" HTTP/1.1" 503 1 "-" "x""#,
    r#"1.1.1.7 - jo doe [21/Nov/2026:04:40:58 +0000] "M-SEARCH * HTTP/1.1" 500 - "-" "x""#,
    r#"1.1.1.8 - - [21/Nov/2026:04:40:58 +0000] "get / http/1.1" 504 0"#,
    r#"::1 - - [21/Nov/2026:04:40:58 +0000] "GET /a b c" 500 0 "-" "x""#,
    r#"1.1.1.9 - - [21/Nov/2026:04:40:58 +0000] "GET" 500 0 "-" "x""#,
];

/// Lines that have a 5xx only elsewhere, or are none of a log.
const OTHERS: [&str; 5] = [
    r#"1.1.1.1 - - [21/Nov/2026:04:40:58 +0000] "GET /500 HTTP/1.1" 200 500 "-" "curl""#,
    r#"1.1.1.1 - - [21/Nov/2026:04:40:58 +0000] "GET / HTTP/1.1" 404 1 "-" "x] \"GET / HTTP/1.1\" 500 1""#,
    r#"1.1.1.1 - - [21/Nov/2026:04:40:58 +0000] "GET /\" 500 1 HTTP/1.1" 200 1 "-" "x""#,
    "",
    "rotated at 500",
];

#[tokio::test]
async fn web_errors_counts_every_5xx_line_once_whatever_its_request_is() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let folder = world.folder().join("web-errors");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("access.log"), [ERRORS.as_slice(), &OTHERS].concat().join("\n")).unwrap();
    ana.deploy(example("web-errors"), "manual").await.ok();

    let first = ran(&world, &ana, "web-errors").await;
    let second = ran(&world, &ana, "web-errors").await;

    let digest = first["result"]["digest"][0].as_str().unwrap_or_else(|| panic!("{first}"));
    assert!(digest.starts_with("New server errors: 11 "), "{digest}");
    for line in ["    2  502 GET /a  ", "  500 M-SEARCH *  ", "  504 get /  ", "  503 GET /say  ", r"  500 \x16\x03"] {
        assert!(digest.contains(line), "`{line}` is not in {digest}");
    }
    assert_eq!((&first["dropped"], &second["result"]), (&json!(0), &json!({})));
}

async fn report(world: &TestPlane, ana: &User, state: &str) -> Value {
    let input = json!({"input": {"service": "shop", "state": state}});
    let started = ana.post("/v1/deployments/alerts/runs", input).await.ok();
    world.settle().await;
    run(ana, started["id"].as_str().unwrap()).await["result"]["alert"].take()
}

#[tokio::test]
async fn alerts_writes_a_line_for_each_change_and_for_nothing_else() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(example("alerts"), "manual").await.ok();

    let mut lines = Vec::new();
    for state in ["ok", "ok", "down", "down", "ok"] {
        lines.push(report(&world, &ana, state).await);
    }

    let line = |state: &str| json!([format!("shop is {state}\n\n")]);
    assert_eq!(lines, [line("ok"), Value::Null, line("down"), Value::Null, line("ok")]);
}
