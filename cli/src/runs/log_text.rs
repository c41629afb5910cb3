//! A log as a person reads it: its lines, and headings where several attempts or runs follow each other.

use crate::api::views::{LogLine, Logs, Run};
use crate::output::table::{plain, readable};
use crate::output::times::{self, milliseconds};
use jiff::Timestamp;
use owo_colors::OwoColorize;
use serde_json::value::RawValue;

/// The text of one run's log, as it grows.
#[derive(Default)]
pub struct LogText {
    /// The attempt of the last line; 0 before the first one.
    attempt: u32,
}

impl LogText {
    /// The lines that came, with a heading before each attempt if the run has had more than one.
    pub fn more(&mut self, logs: &Logs) -> Vec<String> {
        let mut text = Vec::new();
        for line in &logs.items {
            let Ok(line) = serde_json::from_str::<LogLine>(line.get()) else {
                text.push(plain(line.get()));
                continue;
            };
            text.extend(self.heading(line.attempt, logs, Some(line.at)));
            text.push(line_text(&line));
        }
        if logs.complete {
            // An attempt that wrote nothing.
            text.extend(self.heading(logs.attempt, logs, None));
        }
        text
    }

    fn heading(&mut self, attempt: u32, logs: &Logs, at: Option<Timestamp>) -> Option<String> {
        let is_new = attempt != self.attempt && (attempt > 1 || logs.attempt > 1);
        self.attempt = attempt;
        is_new.then(|| heading(&format!("attempt {attempt} of {}", logs.max_attempts), at))
    }
}

/// What stands above the lines of a run, where those of several are shown.
pub fn run_heading(run: &Run) -> String {
    let environment = run.environment.as_ref().map(|name| format!(" in `{}`", plain(name))).unwrap_or_default();
    let what = format!("run {} of `{}`{environment} by {}", run.id, plain(&run.project), run.trigger);
    heading(&what, Some(run.started_at.unwrap_or(run.queued_at)))
}

/// What stands below the lines of a run that has ended, where those of several are shown.
pub fn run_end(run: &Run) -> String {
    let took = run.duration_ms.map(|ms| format!(" in {}", milliseconds(ms))).unwrap_or_default();
    let state = run.state.replace('_', " ");
    let why = run.error.as_ref().map(|error| format!(": {}", plain(&error.to_string()))).unwrap_or_default();
    let text = format!("── run {} of `{}` {state}{took}{why} ──", run.id, plain(&run.project));
    match run.state.as_str() {
        "failed" | "timed_out" => text.red().to_string(),
        _ => text.dimmed().to_string(),
    }
}

fn heading(what: &str, at: Option<Timestamp>) -> String {
    let at = at.map(|at| format!(", {}", times::of_day(at))).unwrap_or_default();
    format!("── {what}{at} ──").bold().to_string()
}

fn line_text(line: &LogLine) -> String {
    let at = times::of_day_exact(line.at);
    let level = match line.level.as_str() {
        "error" => "ERROR".red().to_string(),
        "warn" => " WARN".yellow().to_string(),
        "debug" => "DEBUG".dimmed().to_string(),
        _ => " INFO".green().to_string(),
    };
    let component = line.component.as_ref().map(|component| format!("{}: ", plain(component).bold()));
    let component = component.unwrap_or_default();
    format!("{} {level} {component}{}", at.dimmed(), readable(line.message.trim_end()))
}

/// A line for a script, with the run that wrote it.
pub fn line_json(run: &Run, line: &RawValue) -> String {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        project: &'a str,
        run: &'a str,
        #[serde(flatten)]
        line: std::collections::BTreeMap<String, Box<RawValue>>,
    }
    let Ok(fields) = serde_json::from_str(line.get()) else { return line.get().to_owned() };
    let line = Line { project: &run.project, run: &run.id, line: fields };
    serde_json::to_string(&line).expect("a line is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn logs(attempt: u32, complete: bool, lines: &[(u32, &str)]) -> Logs {
        let line = |(attempt, message): &(u32, &str)| json!({"attempt": attempt, "at": "2026-11-20T18:05:00.5Z", "level": "info", "message": message});
        let items: Vec<Value> = lines.iter().map(line).collect();
        let logs = json!({
            "run": "r", "state": "running", "attempt": attempt, "maxAttempts": 3, "items": items, "next": 1,
            "complete": complete,
        });
        serde_json::from_value(logs).unwrap()
    }

    fn shown(text: &mut LogText, logs: &Logs) -> String {
        text.more(logs).iter().map(|line| console::strip_ansi_codes(line).into_owned() + "\n").collect()
    }

    #[test]
    fn a_run_of_one_attempt_has_no_headings() {
        assert_eq!(shown(&mut LogText::default(), &logs(1, true, &[(1, "a")])), "18:05:00.500 UTC  INFO a\n");
    }

    #[test]
    fn each_attempt_has_a_heading_once_there_are_several() {
        let whole = logs(3, true, &[(1, "a"), (1, "b"), (2, "c")]);
        insta::assert_snapshot!(shown(&mut LogText::default(), &whole), @r"
        ── attempt 1 of 3, 18:05:00 UTC ──
        18:05:00.500 UTC  INFO a
        18:05:00.500 UTC  INFO b
        ── attempt 2 of 3, 18:05:00 UTC ──
        18:05:00.500 UTC  INFO c
        ── attempt 3 of 3 ──
        ");
    }

    #[test]
    fn a_heading_comes_with_the_first_line_of_a_further_attempt() {
        let mut text = LogText::default();
        shown(&mut text, &logs(1, false, &[(1, "a")]));

        insta::assert_snapshot!(shown(&mut text, &logs(2, false, &[(1, "b"), (2, "c")])), @r"
        18:05:00.500 UTC  INFO b
        ── attempt 2 of 3, 18:05:00 UTC ──
        18:05:00.500 UTC  INFO c
        ");
        assert_eq!(shown(&mut text, &logs(2, true, &[(2, "d")])), "18:05:00.500 UTC  INFO d\n");
    }

    #[test]
    fn a_script_gets_the_run_and_the_attempt_with_each_line() {
        let run = json!({"id": "R", "project": "p", "version": 1, "trigger": "manual", "state": "running", "attempt": 2,
            "queuedAt": "2026-11-20T18:05:00Z", "objects": 0});
        let run: Run = serde_json::from_value(run).unwrap();

        let line = line_json(&run, &logs(2, false, &[(2, "1.10")]).items[0]);

        let expected =
            r#"{"project":"p","run":"R","at":"2026-11-20T18:05:00.5Z","attempt":2,"level":"info","message":"1.10"}"#;
        assert_eq!(line, expected);
    }
}
