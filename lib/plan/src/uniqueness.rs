//! Checks that components which would stand in each other's way name different things, e.g. two sinks their files.
//! Values are compared as texts; what they name is the engine's business.

use crate::Catalogue;
use crate::report::Report;
use crate::wiring::Wiring;
use std::collections::HashMap;
use tidemill_model::pipeline::problem::{ProblemCode, pointer_step, quoted};

pub fn check(wiring: &Wiring, catalogue: &Catalogue, report: &mut Report) {
    let mut first_of = HashMap::new();
    for (at, component) in wiring.components.iter().enumerate() {
        let Some(schema) = catalogue.schema(&component.provider) else { continue };
        for name in schema.unique() {
            let Some(value) = component.config.get(name).and_then(|value| value.as_str()) else { continue };
            let first = *first_of.entry((component.provider.as_str(), name, value)).or_insert(at);
            if first != at {
                let place = quoted(&format!("config.{name}"));
                let message =
                    format!("components {} and {} have the same {place}", wiring.name(first), wiring.name(at));
                let hint = format!("give each {} another one", wiring.provider_name(at));
                let path = format!("/config/{}", pointer_step(name));
                report.component(ProblemCode::InvalidConfig, at, &path, message, hint);
            }
        }
    }
}
