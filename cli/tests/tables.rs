//! Tables on terminals of several widths: a row is a line.

use crate::command::tidemill;
use crate::given::Plane;
use crate::given_terminal::on_terminal;
use serde_json::json;

/// A plane on which every list has rows, some of them long, and some of wide characters.
fn full() -> Plane {
    let plane = Plane::new();
    let done = |arguments: &[&str]| {
        let ended = plane.tidemill(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}{}", ended.stdout, ended.stderr);
    };
    plane.folder("夜間の集計と通知のための長い名前のグループ", &["注文の取り込みと集計と通知と保存と確認", "b"], "x");
    done(&["deploy", "夜間の集計と通知のための長い名前のグループ"]);
    plane.write("orders.pipe", "x");
    done(&[
        "deploy",
        "orders.pipe",
        "--schedule",
        "*/5 9-17 * * mon-fri",
        "--timezone",
        "America/Argentina/Buenos_Aires",
    ]);
    let config = json!({"url": "http://127.0.0.1/"});
    plane.write_with("failing.pipe", json!({"id": "post", "provider": "http_request", "config": config}));
    done(&[
        "update",
        "orders",
        "failing.pipe",
        "--note",
        "a note that goes on for longer than any terminal is wide, or so",
    ]);
    assert_eq!(plane.tidemill(&["run", "orders", "--follow"]).code, 1);
    done(&["run", "b", "--follow"]);
    done(&["versions", "add", "orders.pipe", "--env", "staging-of-the-whole-shop-and-its-warehouses"]);
    done(&["keys", "create", "--name", "the key of the nightly job of the warehouse", "--expires", "90d"]);
    done(&["secrets", "set", "THE_LONG_NAME_OF_A_SECRET_THAT_IS_USED_BY_SEVERAL_PIPELINES", "--value", "x"]);
    plane.post(
        "/v1/tasks",
        &json!({"pipeline": {"project_id": "orders", "components": [
            {"id": "the_webhook_that_takes_orders_of_the_shop", "provider": "webhook", "config": {}},
            {"id": "out", "provider": "response", "config": {},
             "input": [{"lane": "text", "from": "the_webhook_that_takes_orders_of_the_shop"}]},
        ]}}),
    );
    plane
}

const LISTS: &[(&[&str], &str)] = &[
    (&["list"], "PROJECT"),
    (&["runs"], "RUN"),
    (&["versions", "orders"], "VERSION"),
    (&["keys", "list"], "KEY"),
    (&["secrets", "list"], "NAME"),
    (&["env", "list"], "ENVIRONMENT"),
    (&["env", "history", "orders", "--env", "staging-of-the-whole-shop-and-its-warehouses"], "AT"),
    (&["groups"], "GROUP"),
    (&["tasks"], "TASK"),
    (&["rollouts"], "ROLLOUT"),
    (&["providers"], "PROVIDER"),
];

/// The columns that a line takes: Han and Kana are two wide.
fn columns(line: &str) -> usize {
    line.chars().map(|c| if ('\u{3000}'..='\u{9fff}').contains(&c) { 2 } else { 1 }).sum()
}

/// Without the codes of colours.
fn plain(text: &str) -> String {
    regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(text, "").into_owned()
}

#[test]
fn every_list_fits_into_the_terminal_with_a_line_for_each_row() {
    let plane = full();
    let at = ("TIDEMILL_URL", plane.url.as_str());
    for (list, first) in LISTS {
        // The catalogue is the command's own.
        let piped = if list == &["providers"] { tidemill(list) } else { plane.tidemill(list) };
        let rows = piped.stdout.lines().count();
        assert!(rows >= 2 && !piped.stdout.contains('…'), "{list:?}: {}{}", piped.stdout, piped.stderr);
        assert!(!piped.stdout.contains('\u{1b}'), "{list:?}");
        for width in [40, 80, 120] {
            let coloured = on_terminal(width, plane.folder.path(), &[at], list);
            let bare = on_terminal(width, plane.folder.path(), &[at, ("NO_COLOR", "1")], list);

            assert!(coloured.contains('\u{1b}') && !bare.contains('\u{1b}'), "{list:?} {width}: {coloured}");
            for shown in [plain(&coloured), bare] {
                let lines: Vec<&str> = shown.lines().collect();
                assert!(lines[0].starts_with(first), "{list:?} {width}: {shown}");
                assert_eq!(lines.len(), rows, "{list:?} {width}: {shown}");
                assert!(lines.iter().all(|line| columns(line) <= usize::from(width)), "{list:?} {width}: {shown}");
            }
        }
    }
}

#[test]
fn a_narrow_terminal_does_without_columns_in_the_order_of_the_table() {
    let plane = full();
    let headings = |list: &[&str], width: u16| {
        let arguments = [list, &["--url", plane.url.as_str()]].concat();
        let shown = plain(&on_terminal(width, plane.folder.path(), &[], &arguments));
        let names: Vec<String> = shown.lines().next().unwrap().split("  ").map(|name| name.trim().to_owned()).collect();
        names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>()
    };

    let runs = headings(&["runs"], 80);
    for (name, is_shown) in
        [("RUN", true), ("PROJECT", true), ("STATE", true), ("V", false), ("OBJECTS", false), ("TRIGGER", false)]
    {
        assert_eq!(runs.iter().any(|shown| shown == name), is_shown, "{name}: {runs:?}");
    }
    assert_eq!(headings(&["runs"], 40), ["RUN", "STATE"]);
    assert_eq!(headings(&["list"], 80), ["PROJECT", "STATE", "ZONE", "NEXT", "LAST"]);
    let shown = on_terminal(40, plane.folder.path(), &[], &["runs", "--url", &plane.url]);
    let id = plane.tidemill(&["runs", "--jq", ".items[0].id"]).stdout;
    assert!(shown.contains(id.trim()), "an id stays whole, to be copied: {shown}");
}

#[test]
fn the_facts_of_one_thing_are_shown_in_full_at_every_width() {
    let plane = full();
    let piped = plane.tidemill(&["status", "orders"]).stdout;

    let shown = on_terminal(40, plane.folder.path(), &[("NO_COLOR", "1")], &["status", "orders", "--url", &plane.url]);

    assert_eq!(shown.matches("America/Argentina/Buenos_Aires (in ").count(), 3, "{shown}");
    assert_eq!((shown.lines().count(), shown.contains('…')), (piped.lines().count(), false), "{shown}");
    let hook = plane.tidemill(&["status", "orders", "--jq", ".hook"]).stdout;
    assert!(shown.contains(&format!("{}{}", plane.url, hook.trim())), "a URL stays whole, to be copied: {shown}");
}
