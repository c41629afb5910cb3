//! Refusals as people read them on standard error: what happened, and what to do.

use crate::command::{CommandOutput, tidemill};
use crate::given::Plane;
use insta::assert_snapshot;
use regex::Regex;

/// Nothing listens on this port.
const NOWHERE: &str = "http://127.0.0.1:1";

/// A command with its exit code and what it prints of its refusal.
fn shown(arguments: &[&str], refused: &CommandOutput) -> String {
    assert_eq!(refused.stdout, "", "{arguments:?}");
    // Systems number their errors differently.
    let text = Regex::new(r"\(os error \d+\)").unwrap().replace_all(&refused.stderr, "(os error N)").into_owned();
    format!("$ tidemill {} # {}\n{text}", arguments.join(" "), refused.code)
}

fn alone(arguments: &[&str]) -> String {
    shown(arguments, &tidemill(arguments))
}

#[test]
fn without_a_plane() {
    let refusals = [
        alone(&["frobnicate"]),
        alone(&["status"]),
        alone(&["list"]),
        alone(&["list", "--url", NOWHERE, "--key", "tm_local_x"]),
        alone(&["list", "--url", "ftp://plane.example", "--key", "tm_local_x"]),
        alone(&["status", "..", "--url", NOWHERE, "--key", "tm_local_x"]),
        alone(&["status", "orders", "--json", "--url", NOWHERE, "--key", "tm_local_x"]),
        alone(&["schedule", "next", "*/5 * * *"]),
        alone(&["schedule", "next", "@daily", "--timezone", "Europe/Berln"]),
        alone(&["providers", "web_hook"]),
        alone(&["validate", "missing.pipe"]),
    ];

    assert_snapshot!(refusals.join("\n"), @r#"
    $ tidemill frobnicate # 2
    error: unrecognized subcommand 'frobnicate'

    Usage: tidemill [OPTIONS] <COMMAND>

    For more information, try '--help'.

    $ tidemill status # 2
    error: the following required arguments were not provided:
      <PROJECT>

    Usage: tidemill status <PROJECT>

    For more information, try '--help'.

    $ tidemill list # 4
    error: no key is given, and there is none in `.tidemill/key`
    hint: start a plane here with `tidemill dev`, name its folder with `--data`, or set TIDEMILL_KEY

    $ tidemill list --url http://127.0.0.1:1 --key tm_local_x # 6
    error: the plane at `http://127.0.0.1:1` does not answer: Connection refused (os error N)
    hint: start one with `tidemill dev`, or name another one with `--url` or TIDEMILL_URL

    $ tidemill list --url ftp://plane.example --key tm_local_x # 2
    error: `ftp://plane.example` is not the URL of a plane: it begins with neither `http://` nor `https://`
    hint: give e.g. `--url http://127.0.0.1:5565`

    $ tidemill status .. --url http://127.0.0.1:1 --key tm_local_x # 2
    error: what is called `.` or `..` cannot be named in a URL
    hint: give the project another `project_id`

    $ tidemill status orders --json --url http://127.0.0.1:1 --key tm_local_x # 6
    {"code":"unreachable","message":"the plane at `http://127.0.0.1:1` does not answer: Connection refused (os error N)","hint":"start one with `tidemill dev`, or name another one with `--url` or TIDEMILL_URL"}

    $ tidemill schedule next */5 * * * # 1
    error: schedule `*/5 * * *` has 4 fields, expected 5
      */5 * * *
               ^
    hint: add the missing fields for minute, hour, day, month and weekday, e.g. `*/5 * * * *`

    $ tidemill schedule next @daily --timezone Europe/Berln # 1
    error: timezone `Europe/Berln` is unknown
    hint: did you mean `Europe/Berlin`?

    $ tidemill providers web_hook # 3
    error: provider `web_hook` does not exist
    hint: did you mean `webhook`?

    $ tidemill validate missing.pipe # 3
    error: cannot read `missing.pipe`: No such file or directory (os error N)
    hint: check the path and its permissions
    "#);
}

#[test]
fn of_a_plane() {
    let plane = Plane::new();
    plane.folder("night", &["a"], "x");
    plane.tidemill(&["deploy", "night"]);
    plane.folder("day", &["orders"], "x");
    plane.tidemill(&["deploy", "day"]);
    let refused = |arguments: &[&str]| shown(arguments, &plane.tidemill(arguments));

    let refusals = [
        refused(&["status", "b"]),
        refused(&["runs", "orderz"]),
        refused(&["ticks", "Orders"]),
        refused(&["deploy", "missing"]),
        refused(&["deploy", "night", "--schedule", "x y"]),
        refused(&["deploy", "night", "--max-attempts", "0"]),
        refused(&["deploy", "night", "--create-only"]),
        refused(&["logs", "01M7Z1XAYSP21KQ5NZ9SHXWXCD"]),
        refused(&["runs", "show", "01m7z1"]),
        refused(&["rollout", "show", "01M7Z1XAYSP21KQ5NZ9SHXWXCD"]),
        refused(&["promote", "a", "--from", "staging", "--to", "production"]),
        refused(&["secrets", "remove", "TOKEN"]),
    ];

    assert_snapshot!(refusals.join("\n"), @"
    $ tidemill status b # 3
    error: project `b` does not exist
    hint: check the name; `tidemill list` shows what there is

    $ tidemill runs orderz # 3
    error: project `orderz` does not exist
    hint: did you mean `orders`?

    $ tidemill ticks Orders # 3
    error: project `Orders` does not exist
    hint: did you mean `orders`?

    $ tidemill deploy missing # 3
    error: cannot read `missing`: No such file or directory (os error N)
    hint: check the path and its permissions

    $ tidemill deploy night --schedule x y # 2
    error: schedule `x y` has 2 fields, expected 5
      x y
         ^
    hint: add the missing fields for minute, hour, day, month and weekday, e.g. `x y * * *`

    $ tidemill deploy night --max-attempts 0 # 2
    error: `--max-attempts` is 0, outside 1 to 10
    hint: give a number from 1 to 10

    $ tidemill deploy night --create-only # 5
    warning: night/a.pipe:1:71: source `now` is a timer, but no schedule starts this pipeline (deploy it with a schedule, e.g. `0 7 * * *`; without one it runs by hand alone)
    error: `a`: project `a` is deployed already, as version 1; update it, or remove it first

    $ tidemill logs 01M7Z1XAYSP21KQ5NZ9SHXWXCD # 3
    error: run `01M7Z1XAYSP21KQ5NZ9SHXWXCD` does not exist
    hint: `tidemill runs` lists them; they are kept for 30 days

    $ tidemill runs show 01m7z1 # 3
    error: project `01m7z1` does not exist, and no run's id begins with `01M7Z1`
    hint: check the name; `tidemill list` shows what there is

    $ tidemill rollout show 01M7Z1XAYSP21KQ5NZ9SHXWXCD # 3
    error: there is no rollout `01M7Z1XAYSP21KQ5NZ9SHXWXCD`, and none of a group of that name
    hint: `tidemill rollouts` lists them; they are kept for 30 days

    $ tidemill promote a --from staging --to production # 3
    error: project `a` is not deployed to environment `staging`
    hint: deploy a version to it first

    $ tidemill secrets remove TOKEN # 3
    error: secret `TOKEN` does not exist
    hint: check the name; `tidemill secrets list` shows what there is
    ");
}
