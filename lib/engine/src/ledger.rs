//! What the components of a run write while they are called: counts, result, new keys, log and trace.

use crate::component::{Fault, Run};
use crate::error::Error;
use crate::gauge::{Gauge, SharedCounts};
use crate::log::Log;
use crate::masks::Masks;
use crate::results::Results;
use crate::step::{NewKey, Outcome};
use crate::trace::Recorder;
use std::sync::Arc;
use std::time::Duration;

/// The running account of one execution. What leaves it is free of secrets.
pub struct Ledger {
    pub(crate) counts: SharedCounts,
    pub results: Results,
    pub new_keys: Vec<NewKey>,
    /// How long the longest outside call of this step took; `None` if it made none.
    pub outside: Option<Duration>,
    pub(crate) log: Log,
    pub(crate) recorder: Recorder,
    masks: Arc<Masks>,
    pub(crate) gauge: Gauge,
}

impl Ledger {
    /// An account that the host sees through a gauge.
    pub fn new(run: &Run, gauge: Gauge) -> Ledger {
        let (context, masks) = (&run.context, run.masks.clone());
        let (lines, counts) = gauge.parts();
        Ledger {
            counts,
            results: Results::default(),
            new_keys: Vec::new(),
            outside: None,
            log: Log::new(lines, masks.clone(), context.now.clone(), context.run.attempt),
            recorder: Recorder::new(context.trace, context.listener.clone(), masks.clone(), context.now.clone()),
            masks,
            gauge,
        }
    }

    /// The run's result.
    pub fn outcome(&self) -> Result<Outcome, Fault> {
        Ok(Outcome { result: self.results.body(&self.masks)? })
    }

    /// The run's error, with the log and the trace of the step that failed.
    pub fn error(&mut self, component: Option<String>, fault: Fault) -> Error {
        Error {
            component,
            message: self.masks.apply(&fault.message),
            hint: fault.hint.map(|hint| self.masks.apply(&hint)),
            retryable: fault.retryable,
            counts: Box::new(self.counts.read()),
            log: self.log.take(),
            traced: Box::new(self.recorder.take()),
        }
    }
}
