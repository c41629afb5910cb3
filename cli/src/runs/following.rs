//! Follows a run's log while it grows, until the run has ended.

use crate::api::client::{Client, Path};
use crate::api::views::{LogLine, Logs, Run};
use crate::failure::{Exit, Failure};
use crate::output::progress;
use crate::output::table::{plain, readable};
use crate::output::times;
use crate::session::Session;
use indicatif::{ProgressBar, ProgressStyle};
use owo_colors::OwoColorize;
use serde_json::value::RawValue;
use std::time::Duration;

/// How often a run is looked at: soon after something happened, more rarely while nothing does.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The log of a run, read part by part.
pub struct Log<'a> {
    client: &'a Client,
    path: Path,
    next: u32,
}

impl<'a> Log<'a> {
    pub fn of(client: &'a Client, run: &Run) -> Log<'a> {
        Log { client, path: Path::new(&["runs", &run.id, "logs"]).with("project", &run.project), next: 0 }
    }

    /// The lines that came since the last call.
    pub async fn more(&mut self) -> Result<Logs, Failure> {
        let logs: Logs = self.client.get(&self.path.clone().with("from", self.next)).await?.read()?;
        self.next = logs.next;
        Ok(logs)
    }
}

/// Hands every line to `show` until the run has ended. Ctrl-C ends the following, not the run.
pub async fn follow(
    session: &Session,
    client: &Client,
    run: &Run,
    mut show: impl FnMut(&RawValue),
) -> Result<(), Failure> {
    let spinner = spinner(session, run);
    let followed = async {
        let mut log = Log::of(client, run);
        let mut wait = SHORTEST_WAIT;
        loop {
            let logs = log.more().await?;
            spinner.set_message(logs.state.clone());
            spinner.suspend(|| logs.items.iter().for_each(|line| show(line)));
            if logs.complete {
                return Ok(());
            }
            wait = if logs.items.is_empty() { LONGEST_WAIT.min(wait * 2) } else { SHORTEST_WAIT };
            tokio::time::sleep(wait).await;
        }
    };
    let done = tokio::select! {
        done = followed => done,
        _ = tokio::signal::ctrl_c() => Err(Failure::new("interrupted", format!("run `{}` continues on the plane", run.id))
            .hint(format!("end it with `tidemill cancel {}`, look at it with `tidemill logs {} --follow`", run.id, run.id))
            .exit(Exit::Interrupted)),
    };
    spinner.finish_and_clear();
    done
}

fn spinner(session: &Session, run: &Run) -> ProgressBar {
    if !session.is_watched() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {prefix} {msg} {elapsed:.dim}").expect("the template is sound");
    let bar = ProgressBar::with_draw_target(None, progress::target())
        .with_style(style)
        .with_prefix(format!("run {}", run.id));
    bar.enable_steady_tick(SHORTEST_WAIT);
    bar
}

/// A line of a log as a person reads it.
pub fn line_text(line: &RawValue) -> String {
    let Ok(line) = serde_json::from_str::<LogLine>(line.get()) else { return plain(line.get()) };
    let at = times::of_day_exact(line.at);
    let level = match line.level.as_str() {
        "error" => "ERROR".red().to_string(),
        "warn" => " WARN".yellow().to_string(),
        "debug" => "DEBUG".dimmed().to_string(),
        _ => " INFO".green().to_string(),
    };
    let component = line.component.map(|component| format!("{}: ", plain(&component).bold())).unwrap_or_default();
    format!("{} {level} {component}{}", at.dimmed(), readable(line.message.trim_end()))
}
