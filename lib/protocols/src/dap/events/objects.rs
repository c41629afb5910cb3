//! The events of single objects: their way through the pipeline (`apaevt_flow`) and the messages that components have for
//! their sender (`apaevt_sse`).

use super::{Event, Recipient};
use crate::dap::event_types::Types;
use crate::dap::monitors::Watches;
use crate::task_status::unix;
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};
use tidemill_operations::Error;
use tidemill_operations::answer::TaskStatus;
use tidemill_operations::task::{
    self,
    trace::{CHUNKS, Event as TaskEvent, EventKind, ObjectTrace},
};

/// Objects that came before others and have not ended, that are asked for one by one.
const MISSING: usize = 64;

/// Which objects of a task had their events. They are numbered as they were accepted, and end in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    next: u64,
    /// How many objects had ended.
    ended: u64,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    missing: BTreeSet<u64>,
    /// There were more than were read.
    #[serde(default)]
    is_behind: bool,
}

impl Default for Cursor {
    /// None had any; numbers begin at 1.
    fn default() -> Cursor {
        Cursor { next: 1, ended: 0, missing: BTreeSet::new(), is_behind: false }
    }
}

impl Cursor {
    /// As if all objects that have ended had theirs.
    pub async fn at_present(recipient: &Recipient<'_>, task: &TaskStatus) -> Result<Cursor, Error> {
        if !task.waits {
            let steps = task::trace::steps(recipient.plane, recipient.call, task).await?;
            return Ok(Cursor { next: steps + 1, ..Cursor::default() });
        }
        let accepted = task.counts.total_count;
        let mut cursor = Cursor { next: accepted + 1, ended: ended(task), ..Cursor::default() };
        if task.in_flight > 0 {
            let first = accepted.saturating_sub(MISSING as u64 - 1).max(1);
            let ended = task::trace::read(recipient.plane, recipient.call, task, first).await?;
            let ended: BTreeSet<u64> = ended.into_iter().map(|(number, _)| number).collect();
            cursor.missing = (first..=accepted).filter(|number| !ended.contains(number)).collect();
        }
        Ok(cursor)
    }

    fn took(&mut self, number: u64) {
        if number >= self.next {
            let first = self.next.max(number.saturating_sub(MISSING as u64));
            self.missing.extend(first..number);
            self.next = number + 1;
        }
        self.missing.remove(&number);
        while self.missing.len() > MISSING {
            self.missing.pop_first();
        }
    }
}

/// The events of the objects that ended since.
pub async fn changes(
    recipient: &Recipient<'_>,
    watches: &Watches,
    task: &TaskStatus,
    cursor: &mut Cursor,
    heard: &HashSet<u64>,
) -> Result<Vec<Event>, Error> {
    // A source that makes its own objects is not counted before its end.
    if task.waits && cursor.ended == ended(task) && !cursor.is_behind {
        return Ok(Vec::new());
    }
    cursor.ended = ended(task);
    let read = |number| task::trace::read_one(recipient.plane, recipient.call, task, number);
    let late = try_join_all(cursor.missing.iter().map(|number| read(*number))).await?;
    let late = cursor.missing.iter().copied().zip(late).filter_map(|(number, record)| Some((number, record?)));
    let mut found: Vec<(u64, ObjectTrace)> = late.collect();
    let next = task::trace::read(recipient.plane, recipient.call, task, cursor.next).await?;
    cursor.is_behind = next.len() == CHUNKS;
    found.extend(next);
    let mut events = Vec::new();
    for (number, record) in &found {
        cursor.took(*number);
        let mut types = watches.of_pipe(task, record.pipe);
        if heard.contains(&record.pipe) {
            types = types.without(Types::SSE);
        }
        events.extend(of_object(task, record, types));
    }
    if task.in_flight == 0 && !cursor.is_behind {
        // Nothing more comes of those that are missing.
        cursor.missing.clear();
        cursor.next = cursor.next.max(task.counts.total_count + 1);
    }
    Ok(events)
}

fn ended(task: &TaskStatus) -> u64 {
    task.counts.completed_count + task.counts.failed_count
}

fn of_object(task: &TaskStatus, record: &ObjectTrace, types: Types) -> Vec<Event> {
    let flows = types.has(Types::FLOW) && record.is_traced;
    let flow = |op: &str, pipes: &[&str], component: &str, trace: Value, at: Timestamp| {
        let body = json!({
            "id": record.pipe, "op": op, "pipes": pipes, "component": component, "trace": trace,
            "project_id": task.project, "source": task.source, "__id": task.id, "eventTime": unix(at),
        });
        ("apaevt_flow", body)
    };
    let object = record.name.as_str();
    let mut events = Vec::new();
    if flows {
        events.push(flow("begin", &[object], object, json!({}), record.began_at));
    }
    for happened in &record.traced.events {
        let component = happened.component.as_str();
        match &happened.what {
            EventKind::Enter { lane, data } if flows => {
                let mut trace = json!({"lane": lane});
                if let Some(data) = data {
                    trace["data"] = data.clone();
                }
                events.push(flow("enter", &[object, component], component, trace, happened.at));
            }
            EventKind::Leave { lane, error } if flows => {
                let mut trace = json!({"lane": lane, "result": "continue"});
                if let Some(error) = error {
                    trace = json!({"lane": lane, "error": error});
                }
                events.push(flow("leave", &[object], component, trace, happened.at));
            }
            EventKind::Message { .. } if types.has(Types::SSE) => {
                events.extend(message(&task.id, record.pipe, happened))
            }
            _ => {}
        }
    }
    if flows {
        let (name, mut body) = flow("end", &[object], object, json!({}), record.ended_at);
        if !record.result.is_empty() {
            // Where the clients look for it, and where their type has it.
            body["trace"] = Value::Object(record.result.clone());
            body["result"] = body["trace"].clone();
        }
        if let Some(error) = &record.error {
            body["trace"]["error"] = error.clone().into();
        }
        if record.traced.dropped > 0 {
            body["trace"]["dropped"] = record.traced.dropped.into();
        }
        events.push((name, body));
    }
    events
}

/// A component's message, as its pipe's callback and monitors get it.
pub fn message(task_id: &str, pipe: u64, happened: &TaskEvent) -> Option<Event> {
    let EventKind::Message { kind, data } = &happened.what else { return None };
    let body = json!({
        "pipe_id": pipe, "type": kind, "data": data, "component": happened.component, "__id": task_id,
        "eventTime": unix(happened.at),
    });
    Some(("apaevt_sse", body))
}
