//! What the components of a run in progress counted so far, on one line.

use crate::api::views::{ComponentCounts, Logs};
use crate::output::table::plain;
use crate::output::times::clock;
use std::time::{Duration, Instant};

/// How often a line is written that shows new counts, where no terminal shows them all the time: as often as a worker that has nothing
/// else to write renews its lease.
const PAUSE: Duration = Duration::from_secs(10);

/// The counts of one run, as they grow.
pub struct CountsLine {
    written: String,
    at: Instant,
}

impl CountsLine {
    pub fn new() -> CountsLine {
        CountsLine { written: String::new(), at: clock() }
    }

    /// A line to write, if there is news and it is time.
    pub fn due(&mut self, logs: &Logs) -> Option<String> {
        let text = text(logs);
        if self.at.elapsed() < PAUSE || text == self.written || logs.state != "running" {
            return None;
        }
        (self.at, self.written) = (clock(), text.clone());
        Some(text)
    }
}

/// `running, 3 objects: now 3 out · post 3 in, 2 out, 1 failed`.
pub fn text(logs: &Logs) -> String {
    let state = logs.state.replace('_', " ");
    let objects = match logs.objects {
        0 if logs.components.is_empty() => return state,
        1 => "1 object".to_owned(),
        objects => format!("{objects} objects"),
    };
    let components: Vec<String> = logs.components.iter().filter_map(component).collect();
    match components.is_empty() {
        true => format!("{state}, {objects}"),
        false => format!("{state}, {objects}: {}", components.join(" · ")),
    }
}

/// What a component counted; `None` if that is nothing.
fn component(counts: &ComponentCounts) -> Option<String> {
    let dropped = counts.dropped.iter().map(|dropped| dropped.count).sum();
    let all = [
        (counts.taken, "in"),
        (counts.given, "out"),
        (counts.filtered, "filtered"),
        (dropped, "dropped"),
        (counts.failed, "failed"),
    ];
    let some: Vec<String> =
        all.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    (!some.is_empty()).then(|| format!("{} {}", plain(&counts.id), some.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn logs(objects: u64, components: Value) -> Logs {
        let logs = json!({"run": "r", "state": "running", "objects": objects, "components": components, "items": [],
            "next": 0, "complete": false});
        serde_json::from_value(logs).unwrap()
    }

    #[test]
    fn a_line_shows_what_each_component_counted() {
        let of = |id: &str, taken: u64, given: u64, failed: u64| {
            json!({"id": id, "in": taken, "out": given, "filtered": 0, "failed": failed, "durationMs": 0,
                "dropped": [{"reason": "x", "count": failed}]})
        };

        let logs = logs(3, json!([of("now", 0, 3, 0), of("post", 3, 2, 1), of("out", 0, 0, 0)]));

        assert_eq!(text(&logs), "running, 3 objects: now 3 out · post 3 in, 2 out, 1 dropped, 1 failed");
    }

    #[test]
    fn a_run_that_counted_nothing_shows_its_state() {
        assert_eq!(text(&logs(0, json!([]))), "running");
        assert_eq!(text(&logs(1, json!([]))), "running, 1 object");
    }
}
