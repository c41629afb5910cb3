//! What a provider declares of itself: its lanes and its config. The compiler checks pipelines against it, the
//! catalogue and the docs are made from it, and the engine holds the code behind it.

use crate::Target;
use crate::schema::Schema;
use crate::texts::{TextKind, TextProblem};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use tidemill_model::lane::Lane;

/// The declaration of one kind of component. It is served to clients as it is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// The name that a component's `provider` field gives, `snake_case`.
    pub name: &'static str,
    /// The name that people read.
    pub title: &'static str,
    /// One paragraph for the catalogue: what it does and when to use it.
    pub description: &'static str,
    /// Where in a pipeline it stands.
    pub class: Class,
    /// Lanes in, each with the lanes that it can give. A source has none and declares `gives`.
    #[serde(serialize_with = "as_objects")]
    pub lanes: Vec<(Lane, Vec<Lane>)>,
    /// The lanes that a source gives; empty for the others.
    pub gives: Vec<Lane>,
    /// JSON Schema (draft 2020-12) of `config`; `description` and `default` of each property are its documentation.
    /// The fields of the format itself (`FORMAT_FIELDS` of the model, and the object that `profile` names) are always
    /// allowed besides. A schema with `properties` knows no others, and they are warned of, unless it says
    /// `additionalProperties`.
    /// A property with `"x-unique": true` has another value in each component of a pipeline, and `"x-tidemill"` says
    /// what kind of text a string is ([`TextKind`]), so that a text that cannot work is refused before it runs.
    pub config: Value,
    /// Works only in the local plane (it reads or writes the operator's files).
    pub local_only: bool,
}

/// Each lane in as `{"lane": "text", "gives": ["text"]}`.
fn as_objects<S: Serializer>(lanes: &[(Lane, Vec<Lane>)], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct LaneOutputs<'a> {
        lane: Lane,
        gives: &'a [Lane],
    }
    serializer.collect_seq(lanes.iter().map(|(lane, gives)| LaneOutputs { lane: *lane, gives }))
}

/// Where in a pipeline a provider stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Makes objects by itself when a run starts (`timer`, `file_source`).
    Source,
    /// Is handed its objects by a caller (`webhook`, `chat`): on a cron schedule it waits for input that never comes.
    WaitingSource,
    /// Takes values and gives others.
    Transform,
    /// Takes values and gives none.
    Sink,
}

impl Provider {
    /// Whether runs may start at it.
    pub fn is_source(&self) -> bool {
        matches!(self.class, Class::Source | Class::WaitingSource)
    }

    /// The lanes that this provider gives for values that arrive on `lane`.
    pub fn outputs_of(&self, lane: Lane) -> Option<&[Lane]> {
        self.lanes.iter().find(|(input, _)| *input == lane).map(|(_, outputs)| outputs.as_slice())
    }

    /// Whether any input of this provider, or the source itself, can give `lane`.
    pub fn can_give(&self, lane: Lane) -> bool {
        self.gives.contains(&lane) || self.lanes.iter().any(|(_, outputs)| outputs.contains(&lane))
    }
}

/// All providers of an engine, by name, and how it reads the texts in their configs.
#[derive(Clone, Debug)]
pub struct Catalogue {
    entries: BTreeMap<&'static str, Entry>,
    check: TextCheck,
}

/// Says what is wrong with a text of a kind where it is going to run. Only an engine knows, because it is what reads these
/// texts.
pub type TextCheck = fn(TextKind, &str, &Target<'_>) -> Result<(), TextProblem>;

#[derive(Clone, Debug)]
struct Entry {
    provider: Provider,
    /// Made at the first use, because most cold starts compile no pipeline.
    schema: OnceLock<Schema>,
}

impl Catalogue {
    /// Collects providers by name, with the check of their texts; of two with the same name the later one stays.
    pub fn new(providers: impl IntoIterator<Item = Provider>, check: TextCheck) -> Catalogue {
        let entry = |provider: Provider| (provider.name, Entry { provider, schema: OnceLock::new() });
        Catalogue { entries: providers.into_iter().map(entry).collect(), check }
    }

    /// Says what is wrong with a text of a kind, if it is to run there.
    pub fn check(&self, kind: TextKind, text: &str, target: &Target) -> Result<(), TextProblem> {
        (self.check)(kind, text, target)
    }

    /// Finds a provider by its exact name.
    pub fn get(&self, name: &str) -> Option<&Provider> {
        self.entries.get(name).map(|entry| &entry.provider)
    }

    /// The provider's config schema, ready to check with.
    pub(crate) fn schema(&self, name: &str) -> Option<&Schema> {
        let entry = self.entries.get(name)?;
        Some(entry.schema.get_or_init(|| Schema::new(&entry.provider.config)))
    }

    /// Every provider, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> + Clone {
        self.entries.values().map(|entry| &entry.provider)
    }
}
