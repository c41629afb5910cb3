//! How long compiling takes: 500 components have 5 ms, and twice the components take twice the time.

#[path = "../lib/plan/tests/plan/catalogue.rs"]
mod catalogue;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use tidemill_model::pipeline::Pipeline;
use tidemill_plan::{Target, compile, compile_text};

/// A source, layers of ten templates that each read from two of the layer before, and a response.
fn pipeline(components: usize) -> String {
    let from = |at: usize| json!({ "lane": "text", "from": format!("step_{at}") });
    let step = |at: usize| {
        let input: Vec<Value> = match at <= 10 {
            true => vec![from(0)],
            false => vec![from(at - 10), from(at - 9)],
        };
        let config = json!({ "template": "{{ object.text }} ${SECRET}", "strict": true, "type": "template" });
        json!({ "id": format!("step_{at}"), "provider": "template", "config": config, "input": input })
    };
    let source = json!({ "id": "step_0", "provider": "webhook", "config": { "mode": "Source", "type": "webhook" } });
    let last = components - 1;
    let response = json!({ "id": "response_1", "provider": "response", "config": {}, "input": [from(last - 1)] });
    let list: Vec<Value> = [source].into_iter().chain((1..last).map(step)).chain([response]).collect();
    json!({ "project_id": "bench", "components": list }).to_string()
}

fn bench(criterion: &mut Criterion) {
    let catalogue = catalogue::catalogue();
    let target = Target::default();
    let mut group = criterion.benchmark_group("compile");
    for components in [500, 1_000, 2_000] {
        let text = pipeline(components);
        let parsed = Pipeline::parse(text.as_str()).expect("the pipeline is sound");
        group.throughput(Throughput::Elements(components as u64));
        group.bench_with_input(BenchmarkId::new("parsed", components), &parsed, |bencher, parsed| {
            bencher.iter(|| compile(parsed, &catalogue, &target).expect("it compiles"))
        });
        group.bench_with_input(BenchmarkId::new("text", components), &text, |bencher, text| {
            bencher.iter(|| compile_text(text.as_str(), &catalogue, &target).expect("it compiles"))
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
