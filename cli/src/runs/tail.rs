//! Follows the runs of a project, or of all projects of a key, from one to the next: those that are going, then each as it starts.
//!
//! However many there are, the plane is asked five times a second at most. Runs beyond the limit of those that are followed at once wait
//! for their turn; their logs stay in the plane, so no line is lost by that.

use crate::api::client::Client;
use crate::api::retry;
use crate::api::views::{Logs, Run};
use crate::failure::{Exit, Failure};
use crate::output::times::clock;
use crate::runs::follow::RunView;
use crate::runs::log_text::{run_end, run_heading};
use crate::runs::new_runs::{Found, NewRuns};
use crate::runs::screen::{Lines, Screen};
use crate::runs::{self, SHORT_ID, counts_line};
use crate::session::Session;
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::{Duration, Instant};
use tidemill_model::run::Failure as RunFailure;

/// The pause between two requests.
const PAUSE: Duration = Duration::from_millis(200);
/// How often new runs are looked for: every second after one came, every five seconds while none does.
const NEW_SHORTEST: Duration = Duration::from_secs(1);
const NEW_LONGEST: Duration = Duration::from_secs(5);
/// How often the log of a run is looked at: soon after something happened, every two seconds while nothing does.
const LOG_SHORTEST: Duration = Duration::from_millis(200);
const LOG_LONGEST: Duration = Duration::from_secs(2);
/// Runs that are followed at once.
const AT_ONCE: usize = 32;

/// What is followed, and how the command is called that does so again.
pub struct Subject<'a> {
    pub project: Option<&'a str>,
    /// Begins with the newest run, also if it has ended.
    pub from_newest: bool,
    pub command: String,
}

/// Follows runs until Ctrl-C.
pub async fn tail(session: &Session, client: &Client, subject: Subject<'_>) -> Result<Infallible, Failure> {
    let screen = Screen::new(session, Lines::Answer, subject.command.clone());
    let ended = tokio::select! {
        never = follow(&screen, client, &subject) => never.map_err(|failure| lost(failure, &subject)),
        _ = tokio::signal::ctrl_c() => {
            let failure = Failure::new("interrupted", "stopped following; runs continue on the plane");
            Err(failure.hint(way_on(&subject)).exit(Exit::Interrupted))
        }
    };
    screen.clear();
    ended
}

async fn follow(screen: &Screen, client: &Client, subject: &Subject<'_>) -> Result<Infallible, Failure> {
    let (new, found, newest) = NewRuns::begin(client, subject.project).await?;
    let mut tail = Tail {
        screen,
        client,
        is_of_all: subject.project.is_none(),
        new,
        new_due: clock() + NEW_SHORTEST,
        new_wait: NEW_SHORTEST,
        last_request: clock(),
        going: Vec::new(),
        waiting: VecDeque::new(),
        headed: None,
    };
    if found.runs.is_empty() && (newest.is_none() || !subject.from_newest) {
        screen.note("no run is in progress; waiting for the next one");
    }
    tail.add(found);
    tail.waiting.extend(newest.filter(|_| subject.from_newest));
    tail.until_interrupted().await
}

struct Tail<'a> {
    screen: &'a Screen,
    client: &'a Client,
    is_of_all: bool,
    new: NewRuns<'a>,
    new_due: Instant,
    new_wait: Duration,
    last_request: Instant,
    going: Vec<Going<'a>>,
    waiting: VecDeque<Run>,
    /// The run under whose heading lines stand that have no label.
    headed: Option<String>,
}

/// A run that is followed.
struct Going<'a> {
    run: Run,
    view: RunView<'a>,
    label: String,
    is_begun: bool,
    due: Instant,
    wait: Duration,
}

impl<'a> Tail<'a> {
    /// Does what is due first, for ever.
    async fn until_interrupted(&mut self) -> Result<Infallible, Failure> {
        loop {
            self.admit();
            let first = (0..self.going.len()).min_by_key(|index| self.going[*index].due);
            let first = first.filter(|index| self.going[*index].due < self.new_due);
            let due = first.map_or(self.new_due, |index| self.going[index].due).max(self.last_request + PAUSE);
            tokio::time::sleep(due.saturating_duration_since(clock())).await;
            match first {
                Some(index) => self.look_at(index).await?,
                None => self.look_for_new().await?,
            }
            self.last_request = clock();
        }
    }

    fn add(&mut self, found: Found) {
        if found.is_cut {
            self.screen.note("there are more runs than can be followed; `tidemill runs` lists them all");
        }
        self.waiting.extend(found.runs);
    }

    /// Begins to follow the runs whose turn it is.
    fn admit(&mut self) {
        while self.going.len() < AT_ONCE
            && let Some(run) = self.waiting.pop_front()
        {
            let short = short_id(&run.id, self.going.iter().map(|going| going.run.id.as_str()));
            let label = format!("{} {short}", crate::output::table::plain(&run.project));
            let view = RunView::of(self.client, &run);
            self.going.push(Going { run, view, label, is_begun: false, due: clock(), wait: LOG_SHORTEST });
        }
    }

    async fn look_for_new(&mut self) -> Result<(), Failure> {
        let found = self.new.look(|failure| self.screen.lost(failure)).await?;
        self.new_wait = if found.runs.is_empty() { NEW_LONGEST.min(self.new_wait * 2) } else { NEW_SHORTEST };
        self.new_due = clock() + self.new_wait;
        self.add(found);
        self.show_stand(None);
        Ok(())
    }

    /// Shows what one run logged since the last look.
    async fn look_at(&mut self, index: usize) -> Result<(), Failure> {
        let Tail { screen, going, .. } = self;
        let logs = match going[index].view.log.more(|failure| screen.lost(failure)).await {
            Ok(logs) => logs,
            Err(failure) if failure.exit == Exit::NotFound => {
                self.lose(index, &failure);
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        self.show(index, &logs);
        if logs.complete {
            let run = self.going.remove(index).run;
            return self.end(run).await;
        }
        let going = &mut self.going[index];
        going.wait = if logs.items.is_empty() { LOG_LONGEST.min(going.wait * 2) } else { LOG_SHORTEST };
        going.due = clock() + going.wait;
        self.show_stand(Some(&logs));
        Ok(())
    }

    fn show(&mut self, index: usize, logs: &Logs) {
        let is_alone = self.going.len() == 1;
        let Going { run, view, label, is_begun, .. } = &mut self.going[index];
        if !*is_begun && (logs.state != "queued" || !logs.items.is_empty()) {
            *is_begun = true;
            if !self.screen.is_json() {
                self.screen.line(run_heading(run));
            }
            self.headed = Some(run.id.clone());
        }
        // Lines that have no label are those of the run whose heading stands above.
        let is_below_heading = is_alone && self.headed.as_ref() == Some(&run.id);
        let needs_label = self.is_of_all || !is_below_heading;
        view.show(self.screen, run, logs, needs_label.then_some(label));
    }

    async fn end(&mut self, run: Run) -> Result<(), Failure> {
        let screen = self.screen;
        let answer = retry::read(self.client, &runs::path(&run), |failure| screen.lost(failure)).await?;
        let run: Run = answer.read()?;
        self.headed = self.headed.take().filter(|headed| *headed != run.id);
        if screen.is_json() {
            let Run { project, id, attempt, state, error, .. } = &run;
            let end = End { project, run: id, attempt: *attempt, state, error: error.as_ref() };
            screen.line(serde_json::to_string(&end).expect("an end is made of texts"));
            return Ok(());
        }
        screen.line(run_end(&run));
        self.show_stand(None);
        Ok(())
    }

    /// A run is not there any more: it was kept for thirty days, or belongs to a plane that began anew.
    fn lose(&mut self, index: usize, failure: &Failure) {
        let going = self.going.remove(index);
        self.screen.note(format_args!("{}: {}", going.label, failure.message));
    }

    /// Shows on a terminal how things stand.
    fn show_stand(&self, logs: Option<&Logs>) {
        let stand = match (self.going.len() + self.waiting.len(), logs) {
            (0, _) => "waiting for the next run".to_owned(),
            (1, Some(logs)) => counts_line::text(logs),
            (1, None) => return,
            (count, _) => format!("{count} runs in progress"),
        };
        self.screen.show(stand);
    }
}

/// The end of a run, for a script.
#[derive(Serialize)]
struct End<'a> {
    project: &'a str,
    run: &'a str,
    attempt: u32,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a RunFailure>,
}

/// The beginning of an id, longer where another run has the same.
fn short_id<'a>(id: &str, others: impl Iterator<Item = &'a str>) -> &str {
    let common = |other: &str| id.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let longest = others.filter(|other| *other != id).map(common).max().unwrap_or(0);
    &id[..(longest + 1).max(SHORT_ID).min(id.len())]
}

fn lost(failure: Failure, subject: &Subject<'_>) -> Failure {
    match failure.exit {
        Exit::Unavailable => failure.hint(way_on(subject)),
        _ => failure,
    }
}

fn way_on(subject: &Subject<'_>) -> String {
    format!("go on with `{}`; `tidemill runs` lists what ran meanwhile", subject.command)
}

#[cfg(test)]
mod tests {
    use super::short_id;

    #[test]
    fn a_short_id_begins_no_other_run() {
        let others = ["01KAFZ7Q3M8T5V2N9R4C6W1XDB", "01KAFZ7Q3M9T5V2N9R4C6W1XDB"];

        assert_eq!(short_id("01KAFZ7Q3N8T5V2N9R4C6W1XDB", others.into_iter()), "01KAFZ7Q3N");
        assert_eq!(short_id("01KAFZ7Q3M8V5V2N9R4C6W1XDB", others.into_iter()), "01KAFZ7Q3M8V");
        assert_eq!(short_id(others[0], others.into_iter()), "01KAFZ7Q3M8");
        assert_eq!(short_id(others[0], [].into_iter()), "01KAFZ7Q3M");
    }
}
