//! What a provider's file implements: a [`Source`] or a [`Component`], and the [`Entry`] that declares it.

use crate::context::{Folders, RunContext};
use crate::flow::Arrival;
use crate::jq::Program;
use crate::json::{self, Json};
use crate::ledger::Ledger;
use crate::log::{Level, Log, shorten};
use crate::masks::Masks;
use crate::object::Object;
use crate::templates::Template;
use crate::value::Value;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value as Tree;
use std::sync::Arc;
use tidemill_model::lane::Lane;
use tidemill_model::run::ComponentCounts;
use tidemill_plan::{Edge, Provider, TextProblem};

/// A provider: its declaration and its code.
pub struct Entry {
    pub declaration: Provider,
    pub make: Make,
}

/// Makes one component of a run.
pub enum Make {
    Source(fn(Setup<'_>) -> Result<Box<dyn Source>, Fault>),
    Component(fn(Setup<'_>) -> Result<Box<dyn Component>, Fault>),
}

/// Gives objects, one by one.
pub trait Source: Send {
    /// Emits the next object's values; `false` if there is none.
    fn pull<'a>(&'a mut self, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<bool, Fault>>;

    /// The position after the last object that was pulled.
    fn state(&self) -> Tree;
}

/// Takes values and may give others.
pub trait Component: Send {
    /// Called once before the first value: opens what may have to be waited for.
    fn open<'a>(&'a mut self, _call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    /// Whether it asks the host about its values and makes new keys; then it is served in batches.
    fn asks_host(&self) -> bool {
        false
    }

    /// Shows the values that come next, so that the host can be asked about all of them at once.
    fn prepare<'a>(&'a mut self, _next: &'a [Arrival], _call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>>;

    /// Called once when no more values can come; may still emit.
    fn finish<'a>(&'a mut self, _call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    /// Makes durable what was taken; [`Component::state`] is read after it.
    fn flush(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// What a successor needs to continue from here, bounded in size.
    fn state(&self) -> Tree {
        Tree::Null
    }
}

/// What a component is made of.
pub struct Setup<'a> {
    pub id: &'a str,
    /// With the secrets in place, but in programs and templates: those bind them.
    pub config: &'a Tree,
    /// What [`Component::state`] gave at the last checkpoint.
    pub state: Option<&'a Tree>,
    pub run: &'a Arc<Run>,
    pub log: &'a mut Log,
}

impl Setup<'_> {
    /// The config as the provider's own type.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        T::deserialize(self.config).map_err(|problem| Fault::new(format!("config is not valid: {problem}")))
    }

    pub fn state<T: DeserializeOwned>(&self) -> Result<Option<T>, Fault> {
        let read = |state| T::deserialize(state).map_err(|_| Fault::new("the checkpoint is not of this component"));
        self.state.filter(|state| !state.is_null()).map(read).transpose()
    }

    /// The folders that the run may touch; `None` in the cloud.
    pub fn folders(&self) -> Option<Folders> {
        let RunContext { host, owner, .. } = &self.run.context;
        let folders = host.folders.as_ref()?;
        Some(owner.as_ref().map_or_else(|| folders.clone(), |owner| folders.of(owner)))
    }

    /// A program of the config; `what` names its field.
    pub fn program(&self, what: &str, code: &str) -> Result<Program, Fault> {
        Program::compile(what, code, self.run)
    }

    /// A template of the config; `what` names its field.
    pub fn template(&self, what: &'static str, source: &str) -> Result<Template, Fault> {
        Template::compile(what, source, self.run)
    }

    pub fn warn(&mut self, message: impl AsRef<str>) {
        self.log.add(Level::Warn, Some(self.id), message);
    }
}

/// What all components of a run share.
pub struct Run {
    pub context: RunContext,
    /// The run as `$run`.
    pub facts: Json,
    pub(crate) masks: Arc<Masks>,
}

/// Bytes of a value that an error shows.
const SHOWN: usize = 100;

impl Run {
    pub fn new(context: RunContext) -> Run {
        let (facts, masks) = (context.run.as_json(), Arc::new(Masks::new(&context.secrets)));
        Run { context, facts, masks }
    }

    /// What an error shows of a value: its start, without secrets.
    pub fn shown(&self, value: &Json) -> String {
        let text = json::to_compact(value).unwrap_or_else(|_| "…".to_owned());
        self.shortened(&text, SHOWN)
    }

    /// A text without secrets, cut. It is masked before, so that no half of a secret survives.
    pub fn shortened(&self, text: &str, limit: usize) -> String {
        shorten(&self.masks.apply(text), limit)
    }
}

/// What a component may do while it is called.
pub struct Call<'a> {
    pub run: &'a Run,
    pub id: &'a str,
    /// Its index in the plan.
    pub(crate) node: usize,
    pub ledger: &'a mut Ledger,
    pub(crate) outputs: &'a [Edge],
    /// The lanes that the provider gives for the value at hand.
    pub(crate) gives: &'a [Lane],
    pub(crate) out: &'a mut Vec<(usize, Arrival)>,
}

impl Call<'_> {
    /// Gives a value along every connected edge of the lanes that the provider gives for the value at hand.
    pub fn emit(&mut self, object: &Arc<Object>, value: Value) -> Result<(), Fault> {
        let gives = self.gives;
        self.give(|lane| gives.contains(&lane), object, value)
    }

    /// Gives a value along every connected edge of one lane.
    pub fn emit_on(&mut self, lane: Lane, object: &Arc<Object>, value: Value) -> Result<(), Fault> {
        self.give(|one| one == lane, object, value)
    }

    fn give(&mut self, takes: impl Fn(Lane) -> bool, object: &Arc<Object>, value: Value) -> Result<(), Fault> {
        let before = self.out.len();
        for edge in self.outputs.iter().filter(|edge| takes(edge.lane)) {
            let value = value.clone().on(edge.lane)?;
            self.out.push((edge.to, Arrival { object: object.clone(), lane: edge.lane, value }));
        }
        let given = u64::from(self.out.len() > before);
        self.count(|counts| counts.given += given);
        Ok(())
    }

    /// Does something of which nothing goes on if it fails.
    pub fn whole<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let (out, given) = (self.out.len(), self.count(|counts| counts.given));
        let done = work(self);
        if done.is_err() {
            self.out.truncate(out);
            self.count(|counts| counts.given = given);
        }
        done
    }

    /// Counts a value that the component stops because its config says so.
    pub fn filtered(&mut self) {
        self.count(|counts| counts.filtered += 1);
    }

    /// Counts a value that goes no further although its sender may expect it to; the reason, in a few words, is shown with the
    /// run.
    pub fn dropped(&mut self, reason: &'static str) {
        self.count(|counts| counts.drop_value(reason));
    }

    fn count<T>(&self, change: impl FnOnce(&mut ComponentCounts) -> T) -> T {
        self.ledger.counts.of(self.node, change)
    }

    /// Whether anything listens on a lane of this component.
    pub fn is_connected(&self, lane: Lane) -> bool {
        self.outputs.iter().any(|edge| edge.lane == lane)
    }

    pub fn log(&mut self, level: Level, message: impl AsRef<str>) {
        self.ledger.log.add(level, Some(self.id), message);
    }

    /// Sends a value, as a message of some kind, to the sender of the object and to monitors.
    pub fn send(&mut self, kind: &str, value: &Value) {
        self.ledger.recorder.message(self.id, kind, value);
    }
}

/// Why a component cannot continue; the execution adds which component it was.
#[derive(Clone, Debug)]
pub struct Fault {
    pub message: String,
    pub hint: Option<String>,
    pub retryable: bool,
}

impl Fault {
    pub fn new(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), hint: None, retryable: false }
    }

    /// A fault that a later attempt may not meet.
    pub fn passing(message: impl Into<String>) -> Fault {
        Fault { retryable: true, ..Fault::new(message) }
    }

    /// A text of the config that cannot work; `what` names its field.
    pub fn of_text(what: &str, problem: TextProblem) -> Fault {
        Fault::new(format!("`{what}` {}", problem.message)).hint(problem.hint)
    }

    pub fn hint(self, hint: impl Into<String>) -> Fault {
        Fault { hint: Some(hint.into()), ..self }
    }
}
