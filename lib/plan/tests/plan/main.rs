//! What a user sees of the compiler: each refusal word for word, and the plans of realistic pipelines.

mod at_once;
mod catalogue;
mod changes;
mod configs;
mod generators;
mod lanes;
mod names;
mod pipelines;
mod properties;
mod sources;
mod texts;

use serde_json::{Value, json};
use tidemill_model::pipeline::{Pipeline, Problem};
use tidemill_plan::{CompiledPipeline, Target, compile};

/// A component without config; `input` is a list of `lane from`.
pub fn component(id: &str, provider: &str, input: &[&str]) -> Value {
    configured(id, provider, input, json!({}))
}

pub fn configured(id: &str, provider: &str, input: &[&str], config: Value) -> Value {
    let input: Vec<Value> = input
        .iter()
        .map(|input| input.split_once(' ').expect("lane and from"))
        .map(|(lane, from)| json!({ "lane": lane, "from": from }))
        .collect();
    json!({ "id": id, "provider": provider, "config": config, "input": input })
}

pub fn pipeline(components: &[Value]) -> Value {
    json!({ "project_id": "proj-1", "components": components })
}

pub fn pipeline_from(source: &str, components: &[Value]) -> Value {
    json!({ "project_id": "proj-1", "source": source, "components": components })
}

pub fn try_compile(pipeline: &Value, target: Target) -> Result<CompiledPipeline, Vec<Problem>> {
    compile(&Pipeline::parse(pipeline.to_string())?, &catalogue::catalogue(), &target)
}

/// The problems as a user reads them.
#[track_caller]
pub fn refusal(pipeline: &Value) -> String {
    text(&try_compile(pipeline, Target::default()).expect_err("the pipeline is refused"))
}

#[track_caller]
pub fn warnings(pipeline: &Value, target: Target) -> String {
    text(&compiled(pipeline, target).warnings)
}

#[track_caller]
pub fn compiled(pipeline: &Value, target: Target) -> CompiledPipeline {
    try_compile(pipeline, target).unwrap_or_else(|problems| panic!("{}", text(&problems)))
}

/// The plan as `id: lane>id lane>id` lines.
#[track_caller]
pub fn plan(pipeline: &Value, target: Target) -> Vec<String> {
    let plan = compiled(pipeline, target).plan;
    let line = |node: &tidemill_plan::Node| {
        let edges = node.outputs.iter().map(|edge| format!(" {}>{}", edge.lane, plan.nodes[edge.to].id));
        format!("{}:{}", node.id, edges.collect::<String>())
    };
    plan.nodes.iter().map(line).collect()
}

pub fn text(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| {
            let code = serde_json::to_value(problem.code).expect("a code is a string");
            let code = code.as_str().unwrap_or_default().to_owned();
            let field = problem.field.as_deref().unwrap_or("-");
            format!("{code} {field}\n{}\nhint: {}\n", problem.message, problem.hint)
        })
        .collect()
}
