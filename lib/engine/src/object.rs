//! One unit of a run's input: it has an id that is the same whenever the run is redone.

use crate::json::{self, Json};
use serde_json::{Value as Tree, json};
use std::sync::Arc;

/// Where a value came from. Every value that a component makes of another keeps its object.
#[derive(Clone, Debug)]
pub struct Object {
    /// Stable across retries, e.g. `<file>:<line>`, `<run id>:0`, a tick's time.
    pub id: String,
    pub name: Option<String>,
    /// What else the source knows: file and line, or the request of a hook.
    pub meta: Json,
}

impl Object {
    pub fn new(id: impl Into<String>) -> Object {
        Object { id: id.into(), name: None, meta: Json::Null }
    }

    pub fn with_meta(self, meta: Json) -> Object {
        Object { meta, ..self }
    }

    pub fn named(self, name: Option<String>) -> Object {
        Object { name, ..self }
    }

    /// The object as `$object` in a program and `object` in a template.
    pub(crate) fn as_json(&self) -> Json {
        let name = self.name.as_deref().map_or(Json::Null, json::string);
        let own = [(json::string("id"), json::string(&self.id)), (json::string("name"), name)];
        match &self.meta {
            Json::Obj(meta) => {
                let meta = meta.iter().map(|(key, value)| (key.clone(), value.clone()));
                Json::obj(meta.chain(own).collect())
            }
            _ => Json::obj(own.into_iter().collect()),
        }
    }

    pub(crate) fn save(&self) -> Tree {
        json!({ "id": self.id, "name": self.name, "meta": json::to_tree(&self.meta).unwrap_or(Tree::Null) })
    }

    pub(crate) fn restore(saved: &Tree) -> Option<Arc<Object>> {
        Some(Arc::new(Object {
            id: saved.get("id")?.as_str()?.to_owned(),
            name: saved.get("name").and_then(Tree::as_str).map(str::to_owned),
            meta: json::from_tree(saved.get("meta")?),
        }))
    }
}
