//! Which secrets a pipeline names that are not set yet: its first run would fail by them.

use crate::error::{Detail, Error};
use crate::plane::Plane;
use serde_json::Value;
use std::collections::BTreeMap;
use tidemill_model::ids::{OwnerId, SecretName};
use tidemill_plan::Plan;

/// Names that are looked up; a pipeline with more of them is not asked about the rest.
const LOOKED_UP: usize = 50;

/// The secrets that some configs name, with the first component that does.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamedSecrets(BTreeMap<String, String>);

impl NamedSecrets {
    /// Those of components, by their id and config.
    pub fn of<'a>(components: impl IntoIterator<Item = (&'a str, &'a Value)>) -> NamedSecrets {
        let mut first = BTreeMap::new();
        for (component, config) in components {
            for name in tidemill_engine::required_secrets(config) {
                first.entry(name).or_insert_with(|| component.to_owned());
            }
        }
        NamedSecrets(first)
    }

    /// Those that a run of the plan needs.
    pub fn of_plan(plan: &Plan) -> NamedSecrets {
        NamedSecrets::of(plan.nodes.iter().map(|node| (node.id.as_str(), &node.config)))
    }

    /// A warning for each that is not set. `known` says of names whether they are, so that each is looked up once.
    pub async fn warnings(
        &self,
        plane: &Plane,
        owner: &OwnerId,
        known: &mut BTreeMap<String, bool>,
    ) -> Result<Vec<Detail>, Error> {
        let mut warnings = Vec::new();
        for (name, component) in &self.0 {
            let is_set = match (known.get(name), SecretName::parse(name)) {
                (Some(is_set), _) => *is_set,
                (None, Ok(parsed)) if known.len() < LOOKED_UP => {
                    let is_set = plane.store.secret(owner, &parsed).await?.is_some();
                    known.insert(name.clone(), is_set);
                    is_set
                }
                _ => continue,
            };
            if !is_set {
                warnings.push(Detail {
                    component: Some(component.clone()),
                    field: None,
                    message: format!("component `{component}` names the secret `{name}`, which is not set"),
                    hint: Some(format!("set it before the first run: `tidemill secrets set {name}`")),
                });
            }
        }
        Ok(warnings)
    }
}
