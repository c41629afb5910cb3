//! What one pipeline has that another has not: components, what was set in them, connections. Values stay
//! out: a config may hold what readers of the difference must not see.

use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use tidemill_model::pipeline::{Component, Graph};

/// How a graph becomes another one. Everything stands in the order of the pipelines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Components that only the new graph has.
    pub added: Vec<ComponentName>,
    /// Components that only the old graph has.
    pub removed: Vec<ComponentName>,
    /// Components that both have, and that are not the same.
    pub changed: Vec<ComponentChange>,
    /// Connections that only the new graph has.
    pub connected: Vec<Connection>,
    /// Connections that only the old graph has.
    pub disconnected: Vec<Connection>,
    /// The component that runs start at, if another one is named.
    pub source: Option<Source>,
}

/// A component that is there in one of the pipelines alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentName {
    /// The component's id.
    pub id: String,
    /// The name of its kind.
    pub provider: String,
}

/// A component that is there in both and not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentChange {
    /// The component's id.
    pub id: String,
    /// `provider`, or the path of a setting, e.g. `config.headers.Accept`.
    pub fields: Vec<String>,
}

/// That values of a lane go from one component to another; for an attachment, its kind stands for the lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Connection {
    /// The id of the component that gives the values.
    pub from: String,
    /// The lane's name.
    pub lane: String,
    /// The id of the component that takes the values.
    pub to: String,
}

/// Where runs start; `None` leaves it to the pipeline's only source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The old pipeline's `source`.
    pub before: Option<String>,
    /// The new pipeline's `source`.
    pub after: Option<String>,
}

impl Difference {
    /// Compares two graphs.
    pub fn between(before: &Graph, after: &Graph) -> Difference {
        let (old, new) = (by_id(before), by_id(after));
        let only = |graph: &Graph, other: &HashMap<&str, &Component>| -> Vec<ComponentName> {
            let components = graph.components.iter().filter(|one| !other.contains_key(one.id.as_str()));
            components.map(|one| ComponentName { id: one.id.clone(), provider: one.provider.clone() }).collect()
        };
        let changed = after.components.iter().filter_map(|now| changed(old.get(now.id.as_str())?, now));
        let (were, are) = (connections(before), connections(after));
        let source = (before.source != after.source)
            .then(|| Source { before: before.source.clone(), after: after.source.clone() });
        Difference {
            added: only(after, &old),
            removed: only(before, &new),
            changed: changed.collect(),
            connected: without(&are, &were),
            disconnected: without(&were, &are),
            source,
        }
    }

    /// The graphs are the same; the pipelines may still differ in what does not run.
    pub fn is_empty(&self) -> bool {
        *self == Difference::default()
    }

    /// How many changes there are.
    pub fn entries(&self) -> usize {
        let Difference { added, removed, changed, connected, disconnected, .. } = self;
        let fields: usize = changed.iter().map(|one| one.fields.len()).sum();
        added.len() + removed.len() + fields + connected.len() + disconnected.len()
    }
}

fn by_id(graph: &Graph) -> HashMap<&str, &Component> {
    graph.components.iter().map(|one| (one.id.as_str(), one)).collect()
}

fn changed(before: &Component, after: &Component) -> Option<ComponentChange> {
    let mut fields = Vec::new();
    if before.provider != after.provider {
        fields.push("provider".to_owned());
    }
    differing("config", &before.config, &after.config, &mut fields);
    (!fields.is_empty()).then(|| ComponentChange { id: after.id.clone(), fields })
}

/// Names what differs, down to the members of objects. The order of members means nothing.
fn differing(path: &str, before: &Value, after: &Value, fields: &mut Vec<String>) {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        if before != after {
            fields.push(path.to_owned());
        }
        return;
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let path = format!("{path}.{name}");
        match (old.get(name), new.get(name)) {
            (Some(before), Some(after)) => differing(&path, before, after, fields),
            _ => fields.push(path),
        }
    }
}

fn connections(graph: &Graph) -> Vec<Connection> {
    let connection =
        |from: &str, lane: &str, to: &str| Connection { from: from.into(), lane: lane.into(), to: to.into() };
    let mut all = Vec::new();
    for one in &graph.components {
        all.extend(one.input.iter().map(|input| connection(&input.from, &input.lane, &one.id)));
        all.extend(one.control.iter().map(|control| connection(&one.id, &control.class, &control.from)));
    }
    all
}

fn without(these: &[Connection], those: &[Connection]) -> Vec<Connection> {
    let those: HashSet<&Connection> = those.iter().collect();
    these.iter().filter(|one| !those.contains(one)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tidemill_model::pipeline::Pipeline;

    fn graph(source: &str, components: Value) -> Graph {
        let text = json!({"project_id": "p", "source": source, "components": components}).to_string();
        Pipeline::parse(text).unwrap().graph().clone()
    }

    fn component(id: &str, config: Value, from: &[&str]) -> Value {
        let input: Vec<Value> = from.iter().map(|from| json!({"lane": "text", "from": from})).collect();
        json!({"id": id, "provider": "log", "config": config, "input": input})
    }

    #[test]
    fn components_settings_and_connections_are_listed_by_their_names_alone() {
        let before = graph(
            "a",
            json!([
                component("a", json!({"headers": {"Accept": "x", "Auth": "old"}, "n": 1}), &[]),
                component("b", json!({"gone": 1, "same": [1, {"x": 2}]}), &["a"]),
                component("c", json!({}), &["a", "b"]),
            ]),
        );
        let after = graph(
            "d",
            json!([
                component("d", json!({}), &[]),
                component("b", json!({"same": [1, {"x": 2}], "new": 1}), &["d"]),
                component("a", json!({"n": 1, "headers": {"Auth": "hush", "Accept": "x"}}), &[]),
            ]),
        );

        let listed = serde_json::to_value(Difference::between(&before, &after)).unwrap();

        assert_eq!(
            listed,
            json!({
                "added": [{"id": "d", "provider": "log"}],
                "removed": [{"id": "c", "provider": "log"}],
                "changed": [
                    {"id": "b", "fields": ["config.gone", "config.new"]},
                    {"id": "a", "fields": ["config.headers.Auth"]},
                ],
                "connected": [{"from": "d", "lane": "text", "to": "b"}],
                "disconnected": [
                    {"from": "a", "lane": "text", "to": "b"},
                    {"from": "a", "lane": "text", "to": "c"},
                    {"from": "b", "lane": "text", "to": "c"},
                ],
                "source": {"before": "a", "after": "d"},
            })
        );
    }

    #[test]
    fn the_order_of_components_and_members_is_no_difference() {
        let one = graph("a", json!([component("a", json!({"x": 1, "y": 2}), &[]), component("b", json!({}), &["a"])]));
        let two = graph("a", json!([component("b", json!({}), &["a"]), component("a", json!({"y": 2, "x": 1}), &[])]));

        assert!(Difference::between(&one, &two).is_empty());
    }
}
