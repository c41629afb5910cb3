//! The log of the commands that stay, on standard error: for people on a terminal, in lines or as JSON elsewhere.

use crate::failure::{Exit, Failure};
use crate::output::times::{milliseconds, now, of_day};
use jiff::Timestamp;
use owo_colors::OwoColorize;
use std::fmt::{self, Debug};
use std::io::IsTerminal;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// The variables that set the level, the first one first.
const VARIABLES: [&str; 2] = ["TIDEMILL_LOG", "RUST_LOG"];

/// What is logged at most, whatever the variables say: below it libraries log the frames and bodies that they read and write, and a
/// login's key with them.
const FINEST: LevelFilter = LevelFilter::DEBUG;

/// The form of the log. Without one it is for people on a terminal, and `text` elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line for each event, with its level, its origin and its fields
    Text,
    /// The same as an object of JSON
    Json,
}

/// Logs to standard error from now on, in colours on a terminal only.
///
/// # Errors
/// A variable sets no level.
pub fn start(format: Option<LogFormat>) -> Result<(), Failure> {
    let set =
        VARIABLES.into_iter().find_map(|name| Some((name, std::env::var(name).ok().filter(|text| !text.is_empty())?)));
    let filter = match set {
        Some((name, text)) => filter(&text).ok_or_else(|| unknown_level(name, &text))?,
        None => ours(LevelFilter::INFO),
    };
    let is_terminal = std::io::stderr().is_terminal();
    let has_colours = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(has_colours);
    match format {
        Some(LogFormat::Json) => log.json().finish().with(FINEST).init(),
        None if is_terminal => log.event_format(People).finish().with(FINEST).init(),
        Some(LogFormat::Text) | None => log.compact().finish().with(FINEST).init(),
    }
    Ok(())
}

/// A level is that of our own crates; `hyper=debug` and the like are directives as `tracing` reads them.
fn filter(text: &str) -> Option<EnvFilter> {
    match text.trim().parse() {
        Ok(level) => Some(ours(level)),
        Err(_) => EnvFilter::try_new(text).ok().filter(|_| text.contains('=')),
    }
}

/// What libraries log is of interest when something is wrong with them.
fn ours(level: LevelFilter) -> EnvFilter {
    EnvFilter::new(format!("{},tidemill={level}", level.min(LevelFilter::WARN)))
}

fn unknown_level(name: &str, text: &str) -> Failure {
    Failure::new("usage", format!("`{text}` in {name} is not a level of the log"))
        .hint("set `error`, `warn`, `info`, `debug`, `trace` or `off`")
        .exit(Exit::Usage)
}

/// Writes `18:05:00 UTC ✓ orders 592 ms, 2,657 objects`.
struct People;

impl<S, N> FormatEvent<S, N> for People
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = fields.line(now(), *event.metadata().level(), writer.has_ansi_escapes());
        writeln!(writer, "{line}")
    }
}

/// What an event says.
#[derive(Default)]
struct Fields {
    message: String,
    project: Option<String>,
    state: Option<String>,
    duration_ms: Option<u64>,
    objects: Option<u64>,
    /// Why something went wrong.
    cause: Option<String>,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "duration_ms" => self.duration_ms = Some(value),
            "objects" => self.objects = Some(value),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let place = match field.name() {
            "message" => {
                self.message = format!("{value:?}");
                return;
            }
            "project.id" => &mut self.project,
            "state" => &mut self.state,
            "error" | "cause" => &mut self.cause,
            _ => return,
        };
        *place = Some(format!("{value:?}"));
    }
}

impl Fields {
    fn line(&self, at: Timestamp, level: Level, has_colours: bool) -> String {
        let coloured = |mark: &str, level: Level| match (has_colours, level) {
            (false, _) => mark.to_owned(),
            (_, Level::ERROR) => mark.red().to_string(),
            (_, Level::WARN) => mark.yellow().to_string(),
            _ => mark.green().to_string(),
        };
        let at = of_day(at);
        let (Some(project), Some(state), Some(objects)) = (&self.project, &self.state, self.objects) else {
            let mark = match level {
                Level::ERROR => "✗",
                Level::WARN => "!",
                _ => "·",
            };
            let cause = self.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
            return format!("{at} {} {}{cause}", coloured(mark, level), self.message);
        };
        let (mark, state) = match state.as_str() {
            "succeeded" => (coloured("✓", Level::INFO), String::new()),
            "failed" | "timed_out" => (coloured("✗", Level::ERROR), format!("{}, ", state.replace('_', " "))),
            other => (coloured("–", Level::WARN), format!("{other}, ")),
        };
        let took = self.duration_ms.map(|took| milliseconds(took.try_into().unwrap_or(i64::MAX)) + ", ");
        let noun = if objects == 1 { "object" } else { "objects" };
        // The message of a run that did not succeed ends with its error.
        let why = self.message.split_once(": ").map(|(_, why)| format!(": {why}")).unwrap_or_default();
        format!("{at} {mark} {project} {state}{}{} {noun}{why}", took.unwrap_or_default(), grouped(objects))
    }
}

/// `2,657`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fields: Fields, level: Level) -> String {
        fields.line("2026-11-21T18:05:00Z".parse().unwrap(), level, false)
    }

    fn run(state: &str, objects: u64) -> Fields {
        let (project, state) = (Some("web-errors".to_owned()), Some(state.to_owned()));
        Fields { project, state, duration_ms: Some(592), objects: Some(objects), ..Fields::default() }
    }

    #[test]
    fn the_end_of_a_run_is_a_line_for_people() {
        assert_eq!(line(run("succeeded", 2657), Level::INFO), "18:05:00 UTC ✓ web-errors 592 ms, 2,657 objects");
        assert_eq!(line(run("failed", 1), Level::INFO), "18:05:00 UTC ✗ web-errors failed, 592 ms, 1 object");
        let failed = Fields { message: "run `1` of `web-errors` failed: post: it rains".into(), ..run("timed_out", 1) };
        let shown = "18:05:00 UTC ✗ web-errors timed out, 592 ms, 1 object: post: it rains";
        assert_eq!(line(failed, Level::WARN), shown);
        assert_eq!(line(run("cancelled", 0), Level::INFO), "18:05:00 UTC – web-errors cancelled, 592 ms, 0 objects");
    }

    #[test]
    fn a_warning_says_why() {
        let fields = Fields { message: "a sweep failed".into(), cause: Some("it rains".into()), ..Fields::default() };

        assert_eq!(line(fields, Level::WARN), "18:05:00 UTC ! a sweep failed: it rains");
    }

    #[test]
    fn a_level_is_that_of_our_crates_and_libraries_warn_at_most() {
        let read = |text: &str| filter(text).map(|filter| filter.to_string());

        assert_eq!(read("debug").unwrap().replace("tidemill=debug", "").replace(',', ""), "warn");
        assert_eq!(read("error").unwrap().replace("tidemill=error", "").replace(',', ""), "error");
        assert_eq!(read("hyper=debug").unwrap(), "hyper=debug");
        for text in ["loud", "loud,info", "tidemill=loud"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
