//! The pipeline: its text exactly as sent, and a typed view of it.
//!
//! Knows the format's shape, not the providers: what a component may be connected to is the plan's to check. [`mod@file`]
//! reads what people keep on disk, [`formats`] are the languages they write it in, [`written`] is how such a text is sent
//! and stored, [`problem`] is how a refusal looks, [`limits`] are the sizes.

pub mod file;
pub mod formats;
mod json;
pub mod limits;
pub mod members;
pub mod nearest;
pub mod problem;
mod reader;
mod shape;
mod shape_of_component;
mod shape_of_config;
pub mod written;

pub use file::{DeployFile, unwrap_file};
pub use problem::{Problem, ProblemCode};
pub use shape_of_config::FORMAT_FIELDS;

use crate::ids::ProjectId;
use serde_json::Value;

/// Longest name that a pipeline may have, in characters: records keep copies of it.
pub const NAME_LIMIT: usize = 256;

/// Longest description, in bytes: a task keeps a copy of it.
pub const DESCRIPTION_LIMIT: usize = 64 * 1024;

/// A pipeline whose shape is sound. Whether it can run is for a compiler to say.
///
/// ```
/// use tidemill_model::pipeline::{Pipeline, ProblemCode};
///
/// let text = r#"{
///     "project_id": "echo",
///     "components": [
///         { "id": "in", "provider": "webhook", "config": {} },
///         { "id": "out", "provider": "response", "config": {}, "input": [{ "lane": "text", "from": "in" }] }
///     ]
/// }"#;
/// let pipeline = Pipeline::parse(text).unwrap();
/// assert_eq!(pipeline.project_id().as_str(), "echo");
/// assert_eq!(pipeline.components()[1].input[0].from, "in");
/// assert_eq!(pipeline.text(), text);
///
/// let problems = Pipeline::parse(r#"{ "components": [{ "id": 7 }] }"#).unwrap_err();
/// let wrong = problems.iter().find(|problem| problem.code == ProblemCode::WrongType).unwrap();
/// assert_eq!(wrong.field.as_deref(), Some("/components/0/id"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    text: String,
    /// The pipeline as JSON, if its text is in another format.
    json: Option<String>,
    project_id: ProjectId,
    name: Option<String>,
    description: Option<String>,
    misplaced: Vec<&'static str>,
    graph: Graph,
}

/// The part of a pipeline that runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The id of the component that a run starts at, if the pipeline names one.
    pub source: Option<String>,
    /// The nodes, in the text's order.
    pub components: Vec<Component>,
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Unique within the pipeline, 1 to 256 characters.
    pub id: String,
    /// The name of its kind, e.g. `http_request`.
    pub provider: String,
    /// Always an object; `${NAME}` is unresolved.
    pub config: Value,
    /// What flows into it.
    pub input: Vec<Input>,
    /// What it is attached to.
    pub control: Vec<Control>,
}

/// A connection that brings values of one lane from another component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The lane's name in the text; whether it exists is for a compiler to say.
    pub lane: String,
    /// The id of the component that gives the values.
    pub from: String,
}

/// A connection that attaches this component (a model, a tool, a memory) to the one that uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The kind of attachment, `classType` in the text, e.g. `llm`.
    pub class: String,
    /// The component that uses this one.
    pub from: String,
}

impl Pipeline {
    /// Reads a pipeline and keeps its text.
    ///
    /// # Errors
    ///
    /// Every way in which the shape is wrong, in the order of the text.
    pub fn parse(text: impl Into<String>) -> Result<Pipeline, Vec<Problem>> {
        Pipeline::read(text).map_err(|broken| broken.problems.into_iter().map(|found| found.problem).collect())
    }

    /// Reads a pipeline like [`Pipeline::parse`], but keeps what could be read of one that is refused.
    pub fn read(text: impl Into<String>) -> Result<Pipeline, Box<Broken>> {
        let text = text.into();
        match written::parse(&text) {
            Ok((value, json)) => shape::read(text, value).map(|pipeline| Pipeline { json, ..pipeline }),
            Err(problem) => {
                let problems = vec![Found { at: None, problem: *problem }];
                Err(Box::new(Broken { graph: Graph::default(), problems }))
            }
        }
    }

    /// The text exactly as it was sent; this, not the view, is what is stored.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The pipeline as JSON: its text, unless that is in another format.
    pub fn json(&self) -> &str {
        self.json.as_deref().unwrap_or(&self.text)
    }

    /// The text, without a copy.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The project that the pipeline belongs to.
    pub fn project_id(&self) -> &ProjectId {
        &self.project_id
    }

    /// What people call the pipeline; `None` if it has no name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the pipeline is for; `None` if it has no description.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The fields of a deploy file that stand inside the pipeline, where nothing reads them.
    pub fn misplaced(&self) -> &[&'static str] {
        &self.misplaced
    }

    /// The id of the component that a run starts at, if the pipeline names one.
    pub fn source(&self) -> Option<&str> {
        self.graph.source.as_deref()
    }

    /// The nodes, in the text's order.
    pub fn components(&self) -> &[Component] {
        &self.graph.components
    }

    /// The part that runs.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }
}

/// What could be read of a refused text, so that a compiler can report its problems along with these.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// The components in the text's order; what could not be read in one of them is empty.
    pub graph: Graph,
    /// At least one.
    pub problems: Vec<Found>,
}

/// A problem and the position of its component in the pipeline, if it belongs to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The component's position, from 0; `None` for a problem of the whole pipeline.
    pub at: Option<usize>,
    /// What is wrong.
    pub problem: Problem,
}
