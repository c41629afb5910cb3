//! Changes a pipeline as an editor would, and as none would.

use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub enum Change {
    /// Lets an input come from another component.
    Rewire(usize, usize),
    Remove(usize),
    /// Adds a field that the format does not know.
    Annotate(usize, Value),
    /// Puts anything anywhere.
    Replace(u64, Value),
}

pub fn some_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0..14usize, 0..14usize).prop_map(|(at, from)| Change::Rewire(at, from)),
        (0..14usize).prop_map(Change::Remove),
        (0..14usize, some_json()).prop_map(|(at, value)| Change::Annotate(at, value)),
        (any::<u64>(), some_json()).prop_map(|(choice, value)| Change::Replace(choice, value)),
    ]
}

pub fn change(pipeline: &mut Value, change: Change) {
    if let Change::Replace(choice, value) = change {
        return replace(pipeline, choice, value);
    }
    let Some(components) = pipeline.get_mut("components").and_then(Value::as_array_mut) else { return };
    let Some(last) = components.len().checked_sub(1) else { return };
    match change {
        Change::Rewire(at, from) => {
            if let Some(input) = components[at.min(last)].pointer_mut("/input/0/from") {
                *input = json!(format!("c{from}"));
            }
        }
        Change::Remove(at) => _ = components.remove(at.min(last)),
        Change::Annotate(at, value) => {
            if let Value::Object(component) = &mut components[at.min(last)] {
                component.insert("ui".into(), value);
            }
        }
        Change::Replace(..) => {}
    }
}

fn some_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(|number| json!(number)),
        "[a-z$\\{\\}é]{0,6}".prop_map(Value::String),
        prop::sample::select(vec!["text", "c0", "c1", "webhook", "Source"]).prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key =
            prop::sample::select(vec!["id", "provider", "config", "input", "control", "lane", "from", "profile", "x"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::hash_map(key, inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// Puts `change` at a place of the pipeline that `choice` leads to.
fn replace(value: &mut Value, mut choice: u64, change: Value) {
    let mut place = value;
    loop {
        let count = match place {
            Value::Array(list) => list.len() as u64,
            Value::Object(object) => object.len() as u64,
            _ => 0,
        };
        let next = choice % (count + 1);
        choice /= count + 1;
        if next == count || count == 0 {
            *place = change;
            return;
        }
        place = match place {
            Value::Array(list) => &mut list[next as usize],
            Value::Object(object) => object.values_mut().nth(next as usize).expect("within the count"),
            _ => return,
        };
    }
}
