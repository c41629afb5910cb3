//! Every command explains itself.

use crate::command::tidemill;
use std::process::Command;

const COMMANDS: &[&[&str]] = &[
    &["dev"],
    &["gateway"],
    &["deploy"],
    &["list"],
    &["status"],
    &["update"],
    &["pause"],
    &["resume"],
    &["remove"],
    &["rollouts"],
    &["rollout"],
    &["rollout", "show"],
    &["rollout", "follow"],
    &["rollout", "cancel"],
    &["groups"],
    &["versions"],
    &["versions", "add"],
    &["versions", "show"],
    &["env"],
    &["env", "list"],
    &["env", "show"],
    &["env", "deploy"],
    &["env", "run"],
    &["env", "enable"],
    &["env", "disable"],
    &["env", "source"],
    &["env", "history"],
    &["env", "remove"],
    &["promote"],
    &["rollback"],
    &["run"],
    &["runs"],
    &["runs", "show"],
    &["logs"],
    &["tail"],
    &["cancel"],
    &["tasks"],
    &["tasks", "end"],
    &["ticks"],
    &["why"],
    &["doctor"],
    &["keys"],
    &["whoami"],
    &["keys", "create"],
    &["keys", "list"],
    &["keys", "revoke"],
    &["secrets"],
    &["secrets", "set"],
    &["secrets", "list"],
    &["secrets", "remove"],
    &["validate"],
    &["providers"],
    &["schedule"],
    &["schedule", "next"],
    &["init"],
    &["try"],
    &["schema"],
    &["completions"],
    &["exit-codes"],
];

#[test]
fn every_command_has_an_example() {
    for command in COMMANDS {
        let help = tidemill(&[command, ["--help"].as_slice()].concat());

        let name = format!("tidemill {}", command.join(" "));
        assert_eq!(help.code, 0, "{name}");
        let (head, rest) = help.stdout.split_once("Usage:").unwrap();
        assert!(!head.trim().is_empty(), "{name} says what it does");
        let (_, examples) = rest.split_once("Example").unwrap_or_else(|| panic!("{name} has an example"));
        assert!(examples.contains(&name), "{name}: {examples}");
        assert!(rest.starts_with(&format!(" {name}")), "{name} is called by its name");
        assert_eq!(unexplained(rest), Vec::<&str>::new(), "{name}");
    }
}

/// The generated page is what reviewers of a changed help read.
#[test]
fn every_command_prints_the_help_of_its_page() {
    let page = include_str!("../../docs/commands.md");
    let root: &[&str] = &[];
    for command in std::iter::once(&root).chain(COMMANDS) {
        let name = format!("tidemill {}", command.join(" ")).trim_end().to_owned();
        let (_, section) = page.split_once(&format!("\n## `{name}`\n\n```text\n")).unwrap_or_else(|| panic!("{name}"));
        let (shown, _) = section.split_once("\n```\n").unwrap();

        let help = tidemill(&[command, ["--help"].as_slice()].concat());

        assert_eq!(words(&help.stdout), words(shown), "{name}");
    }
}

/// The words of a help, however they are wrapped, without the common options.
fn words(help: &str) -> Vec<&str> {
    let (own, rest) = help.split_once("\nCommon options:\n").unwrap_or((help, ""));
    let rest = rest.find("\nExample").map_or("", |at| &rest[at..]);
    own.split_whitespace().chain(rest.split_whitespace()).filter(|word| *word != "[OPTIONS]").collect()
}

/// Arguments and options without a word of what they are.
fn unexplained(help: &str) -> Vec<&str> {
    let is_entry = |line: &str| {
        let name = line.trim_start();
        (2..8).contains(&(line.len() - name.len())) && ["<", "[", "-"].iter().any(|mark| name.starts_with(mark))
    };
    let lines: Vec<&str> = help.lines().take_while(|line| !line.starts_with("Example")).collect();
    let explained = |at: usize| {
        let is_beside = lines[at].trim_start().split_once("  ").is_some_and(|(_, text)| !text.trim().is_empty());
        let is_below = lines.get(at + 1).is_some_and(|next| next.starts_with("          ") && !next.trim().is_empty());
        is_beside || is_below && !lines[at + 1].trim_start().starts_with('[')
    };
    (0..lines.len()).filter(|at| is_entry(lines[*at]) && !explained(*at)).map(|at| lines[at]).collect()
}

/// The shared options that a command shows.
fn shared(command: &[&str]) -> Vec<&'static str> {
    let help = tidemill(&[command, &["-h"]].concat()).stdout;
    let all = ["--json", "--jq", "--utc", "--local", "--url", "--key", "--data"];
    all.into_iter().filter(|option| help.contains(&format!("  {option} "))).collect()
}

#[test]
fn a_command_shows_the_shared_options_that_act_on_it() {
    let (json, zone, plane) = (["--json", "--jq"], ["--utc", "--local"], ["--url", "--key", "--data"]);

    assert_eq!(shared(&["status"]), [&json[..], &zone, &plane].concat());
    assert_eq!(shared(&["list"]), [&json[..], &plane].concat());
    assert_eq!(shared(&["validate"]), json);
    assert_eq!(shared(&["providers"]), json);
    assert_eq!(shared(&["schedule", "next"]), [&json[..], &zone].concat());
    assert_eq!(shared(&["dev"]), [&zone[..], &["--data"]].concat());
    for command in ["completions", "exit-codes", "gateway"] {
        assert_eq!(shared(&[command]), [] as [&str; 0], "{command}");
    }
}

#[test]
fn a_shared_option_is_refused_where_it_has_no_effect_and_taken_before_a_command_where_it_has() {
    for arguments in [
        ["completions", "bash", "--json"].as_slice(),
        &["exit-codes", "--url", "http://127.0.0.1:1"],
        &["--key", "x", "validate", "a.pipe"],
        &["--json", "completions", "bash"],
        &["list", "--utc"],
        &["dev", "--json"],
        &["ticks", "a", "--utc", "--local"],
    ] {
        let refused = tidemill(arguments);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{arguments:?}: {}", refused.stderr);
    }
    let before = tidemill(&["--url", "http://127.0.0.1:1", "exit-codes"]);
    assert_eq!(before.stderr, "error: `--url` has no effect on `tidemill exit-codes`\nhint: leave it out\n");

    let (before, after) = (tidemill(&["--json", "providers", "timer"]), tidemill(&["providers", "timer", "--json"]));
    assert_eq!((before.code, before.stdout), (0, after.stdout));
}

/// The headings of the list of commands, each with its commands.
fn headings() -> Vec<(String, Vec<String>)> {
    let help = tidemill(&["-h"]).stdout;
    let (_, list) = help.split_once("<COMMAND>\n\n").unwrap();
    let (list, _) = list.split_once("\nOptions:").unwrap();
    let mut headings: Vec<(String, Vec<String>)> = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty()) {
        match (line.strip_suffix(':').filter(|_| !line.starts_with(' ')), line.strip_prefix("  ")) {
            (Some(heading), _) => headings.push((heading.to_owned(), Vec::new())),
            (None, Some(entry)) if !entry.starts_with(' ') => {
                let name = entry.split([' ', ',']).next().unwrap().to_owned();
                headings.last_mut().unwrap().1.push(name);
            }
            _ => {}
        }
    }
    headings
}

#[test]
fn every_command_stands_under_one_heading_and_is_tested_here() {
    let headings = headings();

    let names: Vec<&str> = headings.iter().map(|(heading, _)| heading.as_str()).collect();
    assert_eq!(names, ["Write", "Deploy", "Runs", "Schedules", "Environments", "Access", "Plane", "Help"]);
    let mut listed: Vec<&str> = headings.iter().flat_map(|(_, commands)| commands).map(String::as_str).collect();
    listed.retain(|name| *name != "help");
    let mut known: Vec<&str> = COMMANDS.iter().filter(|path| path.len() == 1).map(|path| path[0]).collect();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(listed, known);
}

#[test]
fn every_option_that_takes_a_value_says_what_it_is_without_one() {
    for command in COMMANDS {
        let help = tidemill(&[command, ["--help"].as_slice()].concat()).stdout;
        let (usage, rest) = help.split_once("Usage:").unwrap().1.split_once('\n').unwrap();
        let (_, options) = rest.split_once("\nOptions:\n").unwrap();
        let options = options.split("\nExample").next().unwrap();
        let mut entries: Vec<String> = Vec::new();
        for line in options.lines() {
            match line.trim_start().starts_with('-') && line.len() - line.trim_start().len() < 8 {
                true => entries.push(line.to_owned()),
                false => entries.iter_mut().last().into_iter().for_each(|entry| *entry += &format!(" {}", line.trim())),
            }
        }
        for entry in entries.iter().filter(|entry| entry.contains('<')) {
            let name = entry.split_whitespace().find(|word| word.starts_with("--")).unwrap();
            // `--jq` filters nothing unless it is given, which its sentence says.
            let is_explained = usage.contains(name) || entry.contains("[default: ") || name == "--jq";
            assert!(is_explained, "tidemill {}: {entry}", command.join(" "));
        }
    }
}

#[test]
fn lists_and_removals_have_a_short_name() {
    for (short, long) in [
        (["ls"].as_slice(), ["list"].as_slice()),
        (&["rm"], &["remove"]),
        (&["env", "ls"], &["env", "list"]),
        (&["env", "rm"], &["env", "remove"]),
        (&["keys", "ls"], &["keys", "list"]),
        (&["secrets", "ls"], &["secrets", "list"]),
        (&["secrets", "rm"], &["secrets", "remove"]),
    ] {
        let help = |command: &[&str]| tidemill(&[command, &["--help"]].concat());
        let (short, long) = (help(short), help(long));
        assert_eq!((short.code, short.stdout), (0, long.stdout));
    }
    assert!(tidemill(&["-h"]).stdout.contains("  list, ls "));
}

#[test]
fn the_help_states_the_rule_of_times() {
    let help = tidemill(&["--help"]).stdout;

    let (_, rule) = help.split_once("\nTimes:\n").unwrap();
    for word in ["the schedule's own zone", "TZ names", "--utc", "--local", "in the column's heading"] {
        assert!(rule.contains(word), "{word}");
    }
}

#[test]
fn a_page_of_the_help_names_the_exit_codes() {
    let help = tidemill(&["help", "exit-codes"]);
    let printed = tidemill(&["exit-codes"]);

    for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "6 ", "130 "] {
        assert!(help.stdout.contains(&format!("\n  {code}")), "{code}: {}", help.stdout);
    }
    assert!(help.stdout.contains(printed.stdout.trim()), "{}{}", help.stdout, printed.stdout);
    assert!(tidemill(&["--help"]).stdout.contains("tidemill help exit-codes"));
    assert!(include_str!("../../docs/commands.md").contains("  130  interrupted"));
}

#[test]
fn a_value_that_makes_no_sense_exits_with_2_before_anything_is_sent() {
    let wrong: &[&[&str]] = &[
        &["schedule", "next", "0 25 * * *"],
        &["schedule", "next", "@daily", "--timezone", "Europe/Berln"],
        &["schedule", "next", "@daily", "--count", "0"],
        &["ticks", "orders", "--since", "someday"],
        &["why", "orders", "someday"],
        &["list", "--url", "plane"],
        &["dev", "--minute", "61"],
        &["dev", "--listen", "plane"],
        &["dev", "--log-format", "xml"],
        &["keys", "revoke", "nope"],
        &["keys", "create", "--owner", "a/b#c"],
        &["status", ".."],
    ];
    for arguments in wrong {
        let ended = tidemill(&[*arguments, &["--key", "tm_local_x"]].concat());
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_command_line_that_is_wrong_exits_with_2() {
    let unknown = tidemill(&["frobnicate", "--json"]);
    let missing = tidemill(&["status"]);

    assert_eq!((unknown.code, missing.code), (2, 2));
    assert_eq!(unknown.error_json()["code"], "usage");
    assert!(missing.stderr.contains("<PROJECT>"), "{}", missing.stderr);
}

#[test]
fn a_usage_names_no_option_that_need_not_be_given() {
    let wrong = Command::new(env!("CARGO_BIN_EXE_tidemill"))
        .arg("deploy")
        .env("TIDEMILL_URL", "http://127.0.0.1:1")
        .env("TIDEMILL_KEY", "tm_local_x")
        .output()
        .unwrap();

    let shown = String::from_utf8(wrong.stderr).unwrap();
    assert!(shown.contains("Usage: tidemill deploy <FILE_OR_FOLDER>..."), "{shown}");
}
