//! Log lines that were written ahead: during a step that was not saved. When their worker is gone, the next one redoes the step and
//! makes the same lines again; those are left out, so that none is in the log twice.

use crate::error::Error;
use crate::plane::Plane;
use tidemill_engine::{Level, LogLine};
use tidemill_model::run::Run;

/// What lines are the same by: a line that is made again has another time.
type Line = (Level, Option<String>, String);

/// What the log has of work that comes again.
#[derive(Default)]
pub struct LogAhead {
    /// Lines that were not made again so far, in order. A step logs 64 KiB at most.
    lines: Vec<Line>,
    /// How many were.
    redone: u32,
    /// This worker made lines that are not among them.
    is_beyond: bool,
}

impl LogAhead {
    /// Reads what earlier workers wrote of the work that comes now.
    pub async fn of(plane: &Plane, run: &Run) -> Result<LogAhead, Error> {
        let mut ahead = LogAhead { redone: run.log_redone, ..LogAhead::default() };
        if run.log_ahead == 0 {
            return Ok(ahead);
        }
        let (first, most) = (run.log_chunks.saturating_sub(run.log_ahead), run.log_ahead as usize);
        for (_, text) in plane.store.log_chunks(&run.owner, &run.deployment, &run.id, first, most).await? {
            let lines: Vec<LogLine> = serde_json::from_str(&text).map_err(Error::internal)?;
            ahead.lines.extend(lines.into_iter().map(key));
        }
        ahead.lines.drain(..ahead.lines.len().min(run.log_redone as usize));
        Ok(ahead)
    }

    /// Leaves out the lines that are in the log, each as often as it is there.
    pub fn without_written(&mut self, mut lines: Vec<LogLine>) -> Vec<LogLine> {
        if !self.lines.is_empty() {
            lines.retain(|line| !self.is_written(line));
        }
        self.is_beyond |= !lines.is_empty();
        lines
    }

    fn is_written(&mut self, line: &LogLine) -> bool {
        let line = key(line.clone());
        let found = self.lines.iter().position(|written| *written == line);
        if let Some(at) = found {
            self.lines.remove(at);
            self.redone += 1;
        }
        found.is_some()
    }

    /// Writes into the record of a run, which is saved with a step, how far its log is ahead of that. A step that is redone may end
    /// earlier than the one that was lost, so some of the lines may be still to come.
    pub fn mark(&self, run: &mut Run) {
        match self.lines.is_empty() || self.is_beyond {
            true => (run.log_ahead, run.log_redone) = (0, 0),
            false => run.log_redone = self.redone,
        }
    }
}

fn key(line: LogLine) -> Line {
    (line.level, line.component, line.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use tidemill_model::ids::{OwnerId, ProjectId, RunId};

    fn lines(messages: &[&str]) -> Vec<LogLine> {
        let line = |message: &&str| LogLine {
            at: Timestamp::UNIX_EPOCH,
            level: Level::Info,
            component: None,
            message: (*message).to_owned(),
            attempt: 1,
        };
        messages.iter().map(line).collect()
    }

    fn run(log_ahead: u32) -> Run {
        let (id, owner) = (RunId::new(Timestamp::UNIX_EPOCH, 1), OwnerId::parse("ana").unwrap());
        let project = ProjectId::parse("p").unwrap();
        Run { log_ahead, ..Run::queued(id, owner, project.into(), Timestamp::UNIX_EPOCH) }
    }

    fn ahead(messages: &[&str]) -> LogAhead {
        LogAhead { lines: lines(messages).into_iter().map(key).collect(), ..LogAhead::default() }
    }

    #[test]
    fn a_line_is_left_out_as_often_as_it_was_written() {
        let mut ahead = ahead(&["a", "b", "a"]);

        let new = ahead.without_written(lines(&["a", "c", "a", "a"]));

        assert_eq!(new, lines(&["c", "a"]));
        assert_eq!(ahead.without_written(lines(&["b", "b"])), lines(&["b"]));
    }

    #[test]
    fn a_save_before_all_lines_came_again_leaves_the_rest_to_the_next_worker() {
        let (mut ahead, mut run) = (ahead(&["a", "b", "c"]), run(1));

        assert!(ahead.without_written(lines(&["a", "b"])).is_empty());
        ahead.mark(&mut run);
        assert_eq!((run.log_ahead, run.log_redone), (1, 2));

        assert!(ahead.without_written(lines(&["c"])).is_empty());
        ahead.mark(&mut run);
        assert_eq!((run.log_ahead, run.log_redone), (0, 0));
    }
}
