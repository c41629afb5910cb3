//! What a trial prints: each component with its counts and the first values that came to it, the log, what would be
//! written, the result.

use super::account::{Account, ComponentAccount};
use super::files::WouldWrite;
use crate::api::views::Detail;
use crate::output::table::plain;
use crate::runs::result_text;
use owo_colors::OwoColorize;
use serde::Serialize;
use serde_json::value::RawValue;
use tidemill_engine::{Level, LogLine};
use tidemill_operations::answer::ComponentAnswer;

/// The report in the form that scripts read.
#[derive(Serialize)]
pub struct Report<'a> {
    /// `succeeded`, `failed`, `timed_out` or `interrupted`.
    pub state: &'static str,
    pub components: &'a [ComponentAccount],
    pub log: &'a [LogLine],
    #[serde(rename = "wouldWrite")]
    pub would_write: &'a [WouldWrite],
    pub result: Option<&'a RawValue>,
    pub error: Option<&'a Detail>,
}

/// The same for a person, without the error.
pub fn text(account: &Account, would_write: &[WouldWrite], result: Option<&RawValue>) -> String {
    let mut text = String::new();
    for component in &account.components {
        text.push_str(&format!("{} {}\n", plain(&component.counts.id).bold(), counts(component)));
        for sample in &component.samples {
            text.push_str(&format!("  {} {}\n", format!("{}:", sample.lane).dimmed(), indented(&sample.text)));
        }
        for dropped in &component.counts.dropped {
            text.push_str(&format!("  {} {}: {}\n", "dropped".yellow(), dropped.count, plain(&dropped.reason)));
        }
    }
    if !account.log.is_empty() {
        text.push_str("\nlog:\n");
        account.log.iter().for_each(|line| text.push_str(&format!("  {}\n", log_line(line))));
        if account.lines_left_out > 0 {
            text.push_str(&format!("  and {} more lines\n", account.lines_left_out));
        }
    }
    for file in would_write {
        text.push_str(&format!("\nwould write {} bytes to `{}`:\n", file.bytes, plain(&file.file)));
        text.push_str(&format!("  {}\n", indented(file.text.trim_end())));
    }
    if let Some(result) = result.and_then(|result| result_text(result.get())) {
        text.push_str(&format!("\nresult:\n  {}\n", indented(&result)));
    }
    text.trim_end().to_owned()
}

fn counts(component: &ComponentAccount) -> String {
    let ComponentAccount { provider, counts, .. } = component;
    let ComponentAnswer { taken, given, filtered, failed, .. } = counts;
    let of = [(*taken, "in"), (*given, "out"), (*filtered, "filtered"), (*failed, "failed")];
    let shown = of.iter().filter(|(count, what)| *count > 0 || *what == "out");
    let shown: Vec<String> = shown.map(|(count, what)| format!("{count} {what}")).collect();
    format!("({provider}): {}", shown.join(", "))
}

/// Further lines stand below the first one. Control characters of a value must not reach the terminal.
fn indented(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n  ")
}

fn log_line(line: &LogLine) -> String {
    let level = match line.level {
        Level::Error => "error".red().to_string(),
        Level::Warn => "warn".yellow().to_string(),
        Level::Info => "info".green().to_string(),
        Level::Debug => "debug".dimmed().to_string(),
    };
    let component = line.component.as_ref().map(|id| format!("{}: ", plain(id))).unwrap_or_default();
    format!("{level} {component}{}", indented(&line.message))
}
