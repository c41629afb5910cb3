//! Which secrets a plan names that are not set yet: its first run would fail by them.

use crate::error::{Detail, Error};
use crate::plane::Plane;
use std::collections::BTreeMap;
use tidemill_model::ids::{OwnerId, SecretName};
use tidemill_plan::Plan;

/// Names that are looked up; a plan with more of them is not asked about the rest.
const LOOKED_UP: usize = 50;

/// A warning for each secret that is not set.
pub(crate) async fn warnings(plane: &Plane, owner: &OwnerId, plan: &Plan) -> Result<Vec<Detail>, Error> {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    for node in &plan.nodes {
        for name in tidemill_engine::required_secrets(&node.config) {
            first.entry(name).or_insert(&node.id);
        }
    }
    let mut warnings = Vec::new();
    for (name, component) in first.into_iter().take(LOOKED_UP) {
        let Ok(parsed) = SecretName::parse(&name) else { continue };
        if plane.store.secret(owner, &parsed).await?.is_none() {
            warnings.push(Detail {
                component: Some(component.to_owned()),
                field: None,
                message: format!("component `{component}` names the secret `{name}`, which is not set"),
                hint: Some(format!("set it before the first run: `tidemill secrets set {name}`")),
            });
        }
    }
    Ok(warnings)
}
