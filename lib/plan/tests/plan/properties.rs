//! What holds for every pipeline, also for the strangest.

use crate::changes::{change, some_change};
use crate::generators::{CATALOGUE, sound_pipeline, wild_pipeline};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use std::cell::Cell;
use std::collections::HashSet;
use tidemill_plan::{CompiledPipeline, Start, Target, compile_text};

fn run(pipeline: &Value) -> Result<CompiledPipeline, ()> {
    let once = compile_text(pipeline.to_string(), &CATALOGUE, &Target { start: Start::Schedule, ..Target::default() });
    let again = compile_text(pipeline.to_string(), &CATALOGUE, &Target { start: Start::Schedule, ..Target::default() });
    assert_eq!(once, again, "compiling is deterministic");
    match once {
        Ok((_, compiled)) => Ok(compiled),
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(problems.iter().all(|problem| !problem.message.is_empty() && !problem.hint.is_empty()));
            Err(())
        }
    }
}

fn check_order(compiled: &CompiledPipeline) {
    let nodes = &compiled.plan.nodes;
    for (at, node) in nodes.iter().enumerate() {
        for edge in &node.outputs {
            assert!(edge.to > at || comes_to(compiled, edge.to, at), "values flow forward, or come back");
            assert!((1..nodes.len()).contains(&edge.to), "the source takes no values");
        }
    }
}

fn comes_to(compiled: &CompiledPipeline, from: usize, to: usize) -> bool {
    let (mut seen, mut stack) = (HashSet::new(), vec![from]);
    while let Some(at) = stack.pop() {
        if seen.insert(at) {
            stack.extend(compiled.plan.nodes[at].outputs.iter().map(|edge| edge.to));
        }
    }
    seen.contains(&to)
}

/// Runs a property over many cases and says how many of them compiled, so that none passes by refusing everything.
fn compiled_of<S: Strategy>(cases: u32, strategy: S, check: impl Fn(S::Value) -> bool) -> u32 {
    let compiled = Cell::new(0);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let property = |value| {
        compiled.set(compiled.get() + u32::from(check(value)));
        Ok(())
    };
    TestRunner::new(config).run(&strategy, property).unwrap_or_else(|failure| panic!("{failure}"));
    compiled.get()
}

fn flows_forward(pipeline: &Value) -> bool {
    run(pipeline).map(|compiled| check_order(&compiled)).is_ok()
}

#[test]
fn a_sound_pipeline_compiles_from_its_source_forward() {
    let large = Cell::new(0);

    let compiled = compiled_of(6_000, sound_pipeline(), |pipeline| {
        let compiled = run(&pipeline).expect("it is sound");
        check_order(&compiled);
        assert_eq!(compiled.plan.source().id, "c0");
        large.set(large.get() + u32::from(compiled.plan.nodes.len() > 3));
        true
    });

    assert_eq!(compiled, 6_000);
    assert!(large.get() > 2_000, "only {} plans had more than three nodes", large.get());
}

#[test]
fn a_changed_pipeline_is_compiled_or_refused() {
    let changes = prop::collection::vec(some_change(), 1..4);

    let compiled = compiled_of(6_000, (sound_pipeline(), changes), |(mut pipeline, changes)| {
        changes.into_iter().for_each(|one| change(&mut pipeline, one));
        flows_forward(&pipeline)
    });

    assert!((100..5_900).contains(&compiled), "{compiled} compiled");
}

#[test]
fn a_wild_pipeline_is_compiled_or_refused() {
    let both = (wild_pipeline(true), wild_pipeline(false));

    let compiled = compiled_of(4_000, both, |(forward, any)| flows_forward(&forward) | flows_forward(&any));

    assert!((100..3_900).contains(&compiled), "{compiled} compiled");
}
