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
fn every_command_has_an_example_and_the_options_of_all() {
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
        for option in ["--json", "--url", "--key"] {
            assert!(rest.contains(option), "{name} {option}");
        }
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

/// The words of a help, however they are wrapped, without the options that work everywhere.
fn words(help: &str) -> Vec<&str> {
    let (own, rest) = help.split_once("\nEverywhere:\n").unwrap_or((help, ""));
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

#[test]
fn no_command_is_left_out_here() {
    let help = tidemill(&["--help"]);

    let (_, commands) = help.stdout.split_once("Commands:").unwrap();
    let listed = commands.lines().skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names.into_iter().filter(|name| *name != "help") {
        assert!(COMMANDS.contains(&[name].as_slice()), "{name}");
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
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let completions = tidemill(&["completions", shell]);
        assert!(completions.stdout.contains("schedule"), "{shell}");
    }
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
