//! Makes pipelines for the properties: sound ones that follow the catalogue's lanes, and wild ones.

use crate::catalogue::catalogue;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tidemill_model::lane::Lane;
use tidemill_plan::{Catalogue, Provider};

pub static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(catalogue);

/// A pipeline that compiles: each component takes lanes that those before it really give. Its components are shuffled,
/// it has two sources, and `c0` is the one it starts at.
pub fn sound_pipeline() -> impl Strategy<Value = Value> {
    let picks = prop::collection::vec((any::<Index>(), prop::collection::vec(any::<Index>(), 0..3)), 1..14);
    picks
        .prop_map(|picks| {
            let mut grown = Grown::default();
            grown.add("webhook", &[]);
            grown.add("chat", &[]);
            picks.iter().for_each(|(first, more)| grown.grow(first, more));
            grown.components
        })
        .prop_shuffle()
        .prop_map(|components| json!({ "project_id": "p", "source": "c0", "components": components }))
}

#[derive(Default)]
struct Grown {
    components: Vec<Value>,
    /// The lanes that components give, each with the component's position.
    given: Vec<(usize, Lane)>,
}

impl Grown {
    /// Adds a component that takes one of the given lanes, and more of them if it can.
    fn grow(&mut self, first: &Index, more: &[Index]) {
        let (from, lane) = *first.get(&self.given);
        let takers: Vec<&Provider> = CATALOGUE.iter().filter(|provider| provider.outputs_of(lane).is_some()).collect();
        if takers.is_empty() {
            return;
        }
        let provider = *first.get(&takers);
        let mut inputs = vec![(from, lane)];
        let fitting = more.iter().map(|pick| *pick.get(&self.given));
        inputs.extend(fitting.filter(|(_, lane)| provider.outputs_of(*lane).is_some()));
        self.add(provider.name, &inputs);
    }

    fn add(&mut self, provider: &'static str, inputs: &[(usize, Lane)]) {
        let at = self.components.len();
        let config = if provider == "template" { json!({ "template": "x" }) } else { json!({}) };
        let input: Vec<Value> =
            inputs.iter().map(|(from, lane)| json!({ "lane": lane.as_str(), "from": format!("c{from}") })).collect();
        self.components.push(json!({ "id": format!("c{at}"), "provider": provider, "config": config, "input": input }));
        let declared = CATALOGUE.get(provider).expect("the provider is in the catalogue");
        let gives = inputs.iter().filter_map(|(_, lane)| declared.outputs_of(*lane)).flatten();
        self.given.extend(declared.gives.iter().chain(gives).map(|lane| (at, *lane)));
    }
}

const PROVIDERS: [&str; 11] =
    ["webhook", "timer", "parse", "ocr", "ner", "template", "prompt", "qdrant", "response", "chat", "unknown"];
const LANES: [&str; 8] = ["text", "tags", "image", "documents", "questions", "answers", "table", "txt"];

/// A component that refers to others by position; `forward` refers only to earlier ones, so that many compile.
fn some_component(at: usize, forward: bool) -> impl Strategy<Value = Value> {
    let from = if forward { 0..at.max(1) } else { 0..12 };
    let input =
        (0..LANES.len(), from).prop_map(|(lane, from)| json!({ "lane": LANES[lane], "from": format!("c{from}") }));
    let control = (0..12usize).prop_map(|from| json!([{ "classType": "llm", "from": format!("c{from}") }]));
    let input = prop::collection::vec(input, usize::from(at > 0)..3);
    let control = prop::option::weighted(0.1, control);
    (0..PROVIDERS.len(), input, control).prop_map(move |(provider, input, control)| {
        let provider = if at == 0 { "webhook" } else { PROVIDERS[provider] };
        let input = if forward && at == 0 { vec![] } else { input };
        json!({ "id": format!("c{at}"), "provider": provider, "config": { "template": "x" }, "input": input, "control": control })
    })
}

pub fn wild_pipeline(forward: bool) -> impl Strategy<Value = Value> {
    let components: Vec<_> = (0..8).map(|at| some_component(at, forward)).collect();
    (components, 1..9usize).prop_map(|(mut components, count)| {
        components.truncate(count);
        json!({ "project_id": "p", "source": "c0", "components": components })
    })
}
