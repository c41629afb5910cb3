//! What is kept of a trial: the counts of each component, the first values that came to it, and the log. Bounded, however
//! long it runs.

use serde::Serialize;
use serde_json::Value;
use tidemill_engine::{Counts, EventKind, LogLine, TraceEvents};
use tidemill_model::lane::Lane;
use tidemill_model::run::ComponentCounts;
use tidemill_operations::answer::ComponentAnswer;
use tidemill_plan::Plan;

/// Values shown of each component.
const SAMPLES: usize = 3;
/// Characters shown of a value.
const SAMPLE_CHARACTERS: usize = 300;
/// Lines of the log that are kept.
const LINES: usize = 500;

/// The account of a trial.
#[derive(Default)]
pub struct Account {
    /// In the plan's order.
    pub components: Vec<ComponentAccount>,
    pub log: Vec<LogLine>,
    /// Lines beyond those that are kept.
    pub lines_left_out: usize,
}

/// What became of the values of one component.
#[derive(Clone, Debug, Serialize)]
pub struct ComponentAccount {
    /// As a run shows them.
    #[serde(flatten)]
    pub counts: ComponentAnswer,
    pub provider: String,
    /// The first values that came to it, each cut.
    pub samples: Vec<Sample>,
}

/// A value that came to a component.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    pub lane: Lane,
    pub text: String,
}

impl Account {
    pub fn of(plan: &Plan) -> Account {
        let empty = |node: &tidemill_plan::Node| ComponentAccount {
            counts: ComponentCounts::of(&node.id).into(),
            provider: node.provider.clone(),
            samples: Vec::new(),
        };
        Account { components: plan.nodes.iter().map(empty).collect(), ..Account::default() }
    }

    fn of_id(&mut self, id: &str) -> Option<&mut ComponentAccount> {
        self.components.iter_mut().find(|component| component.counts.id == id)
    }

    /// Adds what a step made. Its counts are those of the whole run.
    pub fn add(&mut self, counts: Counts, log: Vec<LogLine>, traced: TraceEvents) {
        for counted in counts.components {
            if let Some(component) = self.of_id(&counted.id) {
                component.counts = counted.into();
            }
        }
        let kept = log.len().min(LINES.saturating_sub(self.log.len()));
        self.lines_left_out += log.len() - kept;
        self.log.extend(log.into_iter().take(kept));
        for event in traced.events {
            let EventKind::Enter { lane, data: Some(data) } = event.what else { continue };
            let component = self.of_id(&event.component);
            if let Some(component) = component.filter(|component| component.samples.len() < SAMPLES) {
                component.samples.push(Sample { lane, text: shown(&data) });
            }
        }
    }
}

/// A value of the trace as people read it.
fn shown(data: &Value) -> String {
    let bytes = data["bytes"].as_u64().unwrap_or_default();
    match data["text"].as_str() {
        Some(text) => match text.char_indices().nth(SAMPLE_CHARACTERS) {
            Some((end, _)) => format!("{}… ({bytes} bytes)", &text[..end]),
            None => text.to_owned(),
        },
        None => format!("{bytes} bytes of {}", data["mime"].as_str().unwrap_or("an unknown type")),
    }
}
