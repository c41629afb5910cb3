//! Collects problems and warnings from steps that run in any order, and gives them in the pipeline's order.

use tidemill_model::pipeline::nearest::nearest;
use tidemill_model::pipeline::problem::{ProblemCode, quoted};
use tidemill_model::pipeline::{Found, Graph, Problem, limits};

/// How many names may be compared for "did you mean" in one report, so that a hostile pipeline of nothing but
/// unknown names cannot keep the compiler busy.
const COMPARISONS: usize = 100_000;

pub struct Report<'a> {
    graph: &'a Graph,
    problems: Vec<Found>,
    warnings: Vec<Found>,
    /// Whether a component could not be read whole, by its position.
    malformed: Vec<bool>,
    comparisons: usize,
}

impl<'a> Report<'a> {
    pub fn new(graph: &'a Graph, known: Vec<Found>) -> Report<'a> {
        let mut malformed = vec![false; graph.components.len()];
        for at in known.iter().filter_map(|found| found.at) {
            if let Some(component) = malformed.get_mut(at) {
                *component = true;
            }
        }
        Report { graph, problems: known, warnings: Vec::new(), malformed, comparisons: COMPARISONS }
    }

    /// Whether what a component seems to lack may only have been unreadable.
    pub fn is_malformed(&self, at: usize) -> bool {
        self.malformed[at]
    }

    pub fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Reports a problem of the component at `at`, in the field `path` below it.
    pub fn component(&mut self, code: ProblemCode, at: usize, path: &str, message: String, hint: impl Into<String>) {
        let problem = self.located(code, at, path, message, hint.into());
        self.problems.push(problem);
    }

    pub fn warn(&mut self, code: ProblemCode, at: usize, path: &str, message: String, hint: impl Into<String>) {
        let warning = self.located(code, at, path, message, hint.into());
        self.warnings.push(warning);
    }

    /// Reports a problem of the pipeline as a whole.
    pub fn pipeline(&mut self, code: ProblemCode, field: &str, message: String, hint: impl Into<String>) {
        self.problems.push(Found { at: None, problem: Problem::new(code, message, hint).at(field) });
    }

    fn located(&self, code: ProblemCode, at: usize, path: &str, message: String, hint: String) -> Found {
        let problem = Problem::new(code, message, hint).at(format!("/components/{at}{path}"));
        let id = &self.graph.components[at].id;
        Found { at: Some(at), problem: if id.is_empty() { problem } else { problem.of(id) } }
    }

    /// `did you mean …?` with the nearest of the known names, or the fallback.
    pub fn did_you_mean<'b>(
        &mut self,
        word: &str,
        known: impl Iterator<Item = &'b str> + Clone,
        fallback: impl FnOnce() -> String,
    ) -> String {
        self.nearest(word, known).map_or_else(fallback, |name| format!("did you mean {}?", quoted(name)))
    }

    /// The nearest of the known names, as long as comparing is affordable.
    pub fn nearest<'b>(&mut self, word: &str, known: impl Iterator<Item = &'b str> + Clone) -> Option<&'b str> {
        let count = known.clone().count();
        let affordable = self.comparisons >= count;
        self.comparisons -= if affordable { count } else { 0 };
        affordable.then(|| nearest(word, known)).flatten()
    }

    pub fn into_problems(self) -> Vec<Problem> {
        in_order(self.problems)
    }

    pub fn into_warnings(self) -> Vec<Problem> {
        in_order(self.warnings)
    }
}

/// Those of the pipeline first, then by component; within one, as the steps found them.
fn in_order(mut found: Vec<Found>) -> Vec<Problem> {
    found.sort_by_key(|found| found.at);
    let unseen = found.len().saturating_sub(limits::PROBLEMS);
    let mut problems: Vec<Problem> = found.into_iter().take(limits::PROBLEMS).map(|found| found.problem).collect();
    if unseen > 0 {
        let more = if unseen == 1 { "1 more problem is".to_owned() } else { format!("{unseen} more problems are") };
        let message = format!("{more} not shown, the limit is {}", limits::PROBLEMS);
        problems.push(Problem::new(ProblemCode::MoreProblems, message, "correct these first, then deploy again"));
    }
    problems
}

/// Names for a hint: `a`, `b` and so on, at most ten.
pub fn list<'b>(names: impl Iterator<Item = &'b str>) -> String {
    const SHOWN: usize = 10;
    let names: Vec<String> = names.take(SHOWN + 1).map(quoted).collect();
    match names.len() > SHOWN {
        true => format!("{}, …", names[..SHOWN].join(", ")),
        false => names.join(", "),
    }
}
