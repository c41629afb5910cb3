//! From JSON to the typed view: every rule of the format that needs neither providers nor other components.
//! [`super::shape_of_component`] goes on with the components.

use super::file;
use super::problem::{Problem, ProblemCode, quoted};
use super::reader::{Reader, kind_of};
use super::{Broken, Component, DESCRIPTION_LIMIT, Found, Graph, NAME_LIMIT, Pipeline, limits};
use crate::ids::{ProjectId, nameable};
use serde_json::{Map, Value};

/// Reads the view of `value`, which is the parsed `text`.
pub fn read(text: String, value: Value) -> Result<Pipeline, Box<Broken>> {
    let mut reader = Reader::default();
    let Value::Object(mut top) = value else {
        let message = format!("pipeline is {}, expected an object", kind_of(&value));
        let hint = "send `{\"project_id\": …, \"components\": […]}`";
        reader.problems.push(Found { at: None, problem: Problem::new(ProblemCode::WrongType, message, hint) });
        return Err(Box::new(Broken { graph: Graph::default(), problems: reader.problems }));
    };
    let project_id = reader.project_id(&top);
    reader.version(&top);
    let source = reader.source(&top);
    let graph = Graph { source, components: reader.components(top.get_mut("components").map(Value::take)) };
    let name = reader.free_text(&top, "name", NAME_LIMIT, ("characters", |text| text.chars().count()));
    let description = reader.free_text(&top, "description", DESCRIPTION_LIMIT, ("bytes", str::len));
    match project_id.filter(|_| reader.problems.is_empty()) {
        Some(project_id) => {
            let misplaced = file::deployment_fields().filter(|name| top.contains_key(*name)).collect();
            Ok(Pipeline { text, json: None, project_id, name, description, misplaced, graph })
        }
        None => Err(Box::new(Broken { graph, problems: reader.problems })),
    }
}

impl Reader {
    fn project_id(&mut self, top: &Map<String, Value>) -> Option<ProjectId> {
        match top.get("project_id") {
            None => self.missing("/project_id", "project_id", "add `\"project_id\"` with a name of your choice"),
            Some(Value::String(text)) => match nameable("project", text).and_then(|()| ProjectId::parse(text)) {
                Ok(id) => return Some(id),
                Err(error) => self.report(ProblemCode::InvalidValue, "/project_id", error.message, error.hint),
            },
            Some(other) => {
                self.wrong_type("/project_id", "project_id", other, "a string", "write the project's id in quotes")
            }
        }
        None
    }

    fn version(&mut self, top: &Map<String, Value>) {
        let Some(version) = top.get("version").filter(|version| !version.is_null()) else { return };
        if version.as_f64() != Some(1.0) {
            let shown = quoted(&version.to_string());
            let message = format!("pipeline has version {shown} of the format, only 1 is known");
            self.report(ProblemCode::InvalidValue, "/version", message, "set `\"version\": 1` or leave it out");
        }
    }

    fn source(&mut self, top: &Map<String, Value>) -> Option<String> {
        match top.get("source") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => (!id.is_empty()).then(|| id.clone()),
            Some(other) => {
                let hint = "give the id of the component to start at, or leave it out";
                self.wrong_type("/source", "source", other, "a string", hint);
                None
            }
        }
    }

    fn components(&mut self, value: Option<Value>) -> Vec<Component> {
        let hint = "list at least one component: `{\"id\": …, \"provider\": …, \"config\": {}}`";
        match value {
            None => self.missing("/components", "components", hint),
            Some(Value::Array(list)) if list.is_empty() => {
                self.report(ProblemCode::InvalidValue, "/components", "pipeline has no components", hint)
            }
            Some(Value::Array(list)) if list.len() > limits::COMPONENTS => {
                let message = format!("pipeline has {} components, the limit is {}", list.len(), limits::COMPONENTS);
                self.report(ProblemCode::TooManyComponents, "/components", message, "split it into several pipelines");
            }
            Some(Value::Array(list)) => {
                let components = list.into_iter().enumerate().map(|(at, value)| self.component(at, value)).collect();
                (self.at, self.id) = (None, None);
                return components;
            }
            Some(other) => self.wrong_type("/components", "components", &other, "a list", hint),
        }
        Vec::new()
    }

    /// Names and descriptions are only shown, so one of another type is no reason to refuse the pipeline. Records keep
    /// copies, so a long one is.
    fn free_text(
        &mut self,
        top: &Map<String, Value>,
        field: &str,
        limit: usize,
        (unit, length): (&str, fn(&str) -> usize),
    ) -> Option<String> {
        let text = top.get(field)?.as_str()?;
        let found = length(text);
        if found > limit {
            let message = format!("`{field}` of the pipeline has {found} {unit}, over {limit}");
            self.report(ProblemCode::InvalidValue, &format!("/{field}"), message, "shorten it");
        }
        Some(text.to_owned())
    }
}
