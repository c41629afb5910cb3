//! `TASK_STATUS`: the state of a task as RocketRide's clients read it, over HTTP and over the WebSocket. Every field is
//! always there. What this plane does not measure is zero or empty.

mod wire;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tidemill_model::task::{self, End};
use tidemill_operations::answer::TaskStatus;
use wire::{Pipeflow, Wire, WireCounts};

/// The numbers that clients know a task's state by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    None = 0,
    Running = 3,
    Stopping = 4,
    Completed = 5,
    Cancelled = 6,
}

/// How a task stands at an instant.
pub fn of(task: &TaskStatus, now: Timestamp) -> Value {
    let state = state(task);
    let until = task.ended_at.unwrap_or(now);
    let seconds = until.duration_since(task.opened_at).as_secs_f64();
    value(Wire {
        name: &task.name,
        project_id: &task.project,
        source: &task.source,
        completed: task.ended_at.is_some(),
        state: state as u8,
        start_time: unix(task.opened_at),
        end_time: task.ended_at.map_or(0.0, unix),
        status: words(state),
        errors: &task.errors,
        counts: WireCounts::of(task.counts, seconds),
        current_object: if task.in_flight > 0 { &task.current.0 } else { "" },
        current_size: if task.in_flight > 0 { task.current.1 } else { 0 },
        service_up: state == State::Running,
        exit_code: exit_code(task),
        exit_message: exit_message(task),
        pipeflow: Pipeflow { total_pipes: task.in_flight, by_pipe: Map::new() },
        ..Wire::default()
    })
}

/// The status of a source that no task serves.
pub fn not_running(project: &str, source: &str) -> Value {
    value(Wire { project_id: project, source, status: words(State::None), ..Wire::default() })
}

fn value(status: Wire<'_>) -> Value {
    serde_json::to_value(status).expect("names are text and numbers are finite")
}

fn state(task: &TaskStatus) -> State {
    match (task.state, task.end) {
        (task::State::Open, _) => State::Running,
        (task::State::Ending, _) => State::Stopping,
        (_, Some(End::Terminated)) => State::Cancelled,
        (_, _) => State::Completed,
    }
}

fn words(state: State) -> &'static str {
    match state {
        State::None => "Not running",
        State::Running => "Running",
        State::Stopping => "Stopping",
        State::Completed => "Completed",
        State::Cancelled => "Stopped",
    }
}

/// As of a process: none while it goes on, 0 if it ended well.
fn exit_code(task: &TaskStatus) -> Option<u8> {
    task.ended_at.map(|_| u8::from(task.end == Some(End::Failed)))
}

fn exit_message(task: &TaskStatus) -> &'static str {
    match task.ended_at.and(task.end) {
        None | Some(End::Finished) => "",
        Some(End::Terminated) => "terminated",
        Some(End::Idle) => "nothing was sent for as long as it may be idle",
        Some(End::Failed) => "its run failed",
    }
}

/// Seconds since 1970, with their fraction.
pub fn unix(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemill_model::ids::ProjectId;
    use tidemill_model::task::{Counts, Trace};

    /// The fields that the clients' own type has.
    const FIELDS: &str = "name project_id source completed state startTime endTime debuggerAttached status warnings errors \
        currentObject currentSize notes totalSize totalCount completedSize completedCount failedSize failedCount \
        wordsSize wordsCount rateSize rateCount serviceUp exitCode exitMessage pipeflow metrics tokens";

    fn task() -> TaskStatus {
        let at = |second| Timestamp::from_second(second).unwrap();
        TaskStatus {
            token: "tk_1".into(),
            address: "tk_1".into(),
            id: "1.webhook_1".into(),
            name: "Echo".into(),
            description: String::new(),
            project: "p".into(),
            source: "webhook_1".into(),
            provider: "webhook".into(),
            run: "r".into(),
            version: 0,
            state: task::State::Open,
            end: None,
            opened_at: at(100),
            used_at: at(110),
            ended_at: None,
            ttl_seconds: 900,
            in_flight: 1,
            counts: Counts {
                total_count: 31,
                total_size: 3100,
                completed_count: 20,
                completed_size: 2000,
                failed_count: 10,
                failed_size: 1000,
            },
            components: Vec::new(),
            errors: vec!["no".into()],
            restarts: 0,
            log_chunks: 0,
            place: ProjectId::parse("p").unwrap().into(),
            waits: true,
            trace: Trace::None,
            current: ("a.txt".into(), 7),
        }
    }

    fn ended(end: End) -> TaskStatus {
        TaskStatus { state: task::State::Ended, end: Some(end), ended_at: Timestamp::from_second(110).ok(), ..task() }
    }

    fn fields(status: &Value) -> Vec<&str> {
        let mut names: Vec<_> = status.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_field_is_always_there() {
        let mut expected: Vec<_> = FIELDS.split_whitespace().collect();
        expected.sort_unstable();

        assert_eq!(fields(&of(&task(), Timestamp::from_second(110).unwrap())), expected);
        assert_eq!(fields(&not_running("p", "webhook_1")), expected);
    }

    #[test]
    fn an_open_task_shows_its_counts_and_their_rates() {
        let status = of(&task(), Timestamp::from_second(110).unwrap());

        assert_eq!(
            (&status["state"], &status["status"], &status["completed"]),
            (&3.into(), &"Running".into(), &false.into())
        );
        assert_eq!((&status["startTime"], &status["endTime"]), (&100.0.into(), &0.0.into()));
        assert_eq!((&status["rateCount"], &status["rateSize"]), (&3.into(), &300.into()));
        assert_eq!((&status["exitCode"], &status["serviceUp"]), (&Value::Null, &true.into()));
        assert_eq!(status["pipeflow"]["totalPipes"], 1);
        assert_eq!((&status["currentObject"], &status["currentSize"]), (&"a.txt".into(), &7.into()));
    }

    #[test]
    fn the_state_says_how_a_task_ended() {
        let now = Timestamp::from_second(900).unwrap();
        let status = |task: &TaskStatus| {
            let status = of(task, now);
            (
                status["state"].as_u64().unwrap(),
                status["status"].as_str().unwrap().to_owned(),
                status["exitCode"].as_u64(),
            )
        };

        let ending = TaskStatus { state: task::State::Ending, end: Some(End::Terminated), ..task() };
        assert_eq!(status(&ending), (4, "Stopping".into(), None));
        assert_eq!(status(&ended(End::Terminated)), (6, "Stopped".into(), Some(0)));
        assert_eq!(status(&ended(End::Idle)), (5, "Completed".into(), Some(0)));
        assert_eq!(status(&ended(End::Finished)), (5, "Completed".into(), Some(0)));
        assert_eq!(status(&ended(End::Failed)), (5, "Completed".into(), Some(1)));
        assert_eq!(of(&ended(End::Idle), now)["endTime"], 110.0);
        assert_eq!(not_running("p", "s")["state"], 0);
    }
}
