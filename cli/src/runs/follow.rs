//! Follows one run until it has ended, over dropped connections and restarts of the plane.

use crate::api::client::Client;
use crate::api::views::{Logs, Run};
use crate::failure::{Exit, Failure};
use crate::runs::SHORT_ID;
use crate::runs::counts_line::{self, CountsLine};
use crate::runs::log::Log;
use crate::runs::log_text::{LogText, line_json};
use crate::runs::screen::{Lines, Screen};
use crate::session::Session;
use std::time::Duration;

/// How often a run is looked at: ten times a second after something happened, every two seconds while nothing does.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// Shows a run until it has ended. Ctrl-C ends the following, not the run.
pub async fn follow(session: &Session, client: &Client, run: &Run, lines: Lines) -> Result<(), Failure> {
    let screen = Screen::new(session, lines, format!("run {}", &run.id[..SHORT_ID.min(run.id.len())]));
    let done = tokio::select! {
        done = until_the_end(&screen, client, run) => done.map_err(|failure| lost(failure, &run.id)),
        _ = tokio::signal::ctrl_c() => {
            let failure = Failure::new("interrupted", format!("run `{}` continues on the plane", run.id));
            Err(failure.hint(ways_on(&run.id)).exit(Exit::Interrupted))
        }
    };
    screen.clear();
    done
}

async fn until_the_end(screen: &Screen, client: &Client, run: &Run) -> Result<(), Failure> {
    let mut view = RunView::of(client, run);
    let mut wait = SHORTEST;
    loop {
        let logs = view.log.more(|failure| screen.lost(failure)).await?;
        screen.show(counts_line::text(&logs));
        view.show(screen, run, &logs, None);
        if logs.complete {
            return Ok(());
        }
        wait = if logs.items.is_empty() { LONGEST.min(wait * 2) } else { SHORTEST };
        tokio::time::sleep(wait).await;
    }
}

/// How far one run was shown.
pub struct RunView<'a> {
    pub log: Log<'a>,
    text: LogText,
    counts: CountsLine,
}

impl<'a> RunView<'a> {
    pub fn of(client: &'a Client, run: &Run) -> RunView<'a> {
        RunView { log: Log::of(client, run), text: LogText::default(), counts: CountsLine::new() }
    }

    /// Shows the part of the log that came, each line after a label if there is one.
    pub fn show(&mut self, screen: &Screen, run: &Run, logs: &Logs, label: Option<&str>) {
        if screen.is_json() {
            logs.items.iter().for_each(|line| screen.line(line_json(run, line)));
            return;
        }
        let label = label.map(|label| format!("{label} ")).unwrap_or_default();
        for line in self.text.more(logs) {
            screen.line(format_args!("{label}{line}"));
        }
        if !screen.is_watched()
            && let Some(counts) = self.counts.due(logs)
        {
            screen.note(format_args!("{label}{counts}"));
        }
    }
}

fn lost(failure: Failure, id: &str) -> Failure {
    match failure.exit {
        Exit::Unavailable => {
            let message = format!("{}; run `{id}` continues when the plane does", failure.message);
            Failure { message, ..failure }.hint(ways_on(id))
        }
        _ => failure,
    }
}

fn ways_on(id: &str) -> String {
    format!("follow it with `tidemill logs {id} --follow`, end it with `tidemill cancel {id}`")
}
