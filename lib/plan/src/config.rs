//! Checks each component's config against its provider's schema.

use crate::Catalogue;
use crate::report::{Report, list};
use crate::schema::Schema;
use crate::violation::{is_excused, said};
use crate::wiring::Wiring;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;
use std::collections::HashSet;
use tidemill_model::pipeline::problem::{ProblemCode, pointer_step, quoted};
use tidemill_model::pipeline::{FORMAT_FIELDS, limits};

pub fn check(wiring: &Wiring, catalogue: &Catalogue, report: &mut Report) {
    for (at, component) in wiring.components.iter().enumerate().filter(|(at, _)| wiring.providers[*at].is_some()) {
        let Some(schema) = catalogue.schema(&component.provider).filter(|_| !report.is_malformed(at)) else { continue };
        let violations = schema.violations(&component.config).filter(|violation| !is_excused(violation));
        let violations: Vec<_> = violations.take(limits::PROBLEMS + 1).collect();
        let checks = || violations.iter().map(|violation| Check { wiring, at, schema, violation });
        let mut missing: HashSet<String> = checks().filter_map(|check| check.missing_path()).collect();
        // A misspelt name takes what it means off the missing ones: that is one problem, not two.
        checks().for_each(|check| check.report_unknown(&mut missing, report));
        checks().for_each(|check| check.report_rest(&missing, report));
    }
}

struct Check<'a> {
    wiring: &'a Wiring<'a>,
    at: usize,
    schema: &'a Schema,
    violation: &'a ValidationError<'a>,
}

impl Check<'_> {
    /// The property that the violation misses.
    fn missing_path(&self) -> Option<String> {
        match self.violation.kind() {
            Kind::Required { property } => Some(self.path(property.as_str())),
            _ => None,
        }
    }

    fn report_unknown(&self, missing: &mut HashSet<String>, report: &mut Report) {
        if let Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } =
            self.violation.kind()
        {
            for name in unexpected.iter().filter(|name| !self.is_of_the_format(name)) {
                self.unknown(name, missing, report);
            }
        }
    }

    fn report_rest(&self, missing: &HashSet<String>, report: &mut Report) {
        match self.violation.kind() {
            Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => {}
            Kind::Required { property } => {
                if missing.contains(&self.path(property.as_str())) {
                    self.missing(property.as_str().unwrap_or_default(), report);
                }
            }
            _ => {
                let (expected, hint) = said(self.violation);
                let message = format!("component {} has {expected} as `{}`", self.name(), self.place(None));
                report.component(ProblemCode::InvalidConfig, self.at, &self.path(None), message, hint);
            }
        }
    }

    fn missing(&self, property: &str, report: &mut Report) {
        let message = format!("component {} has no `{}`", self.name(), self.place(Some(property)));
        let hint = format!("add it: {} needs it", self.wiring.provider_name(self.at));
        report.component(ProblemCode::MissingProperty, self.at, &self.path(Some(property)), message, hint);
    }

    /// A slip in a name that must be there is a problem. Another name that nothing knows does no harm, and editors write
    /// many.
    fn unknown(&self, property: &str, missing: &mut HashSet<String>, report: &mut Report) {
        let names = self.schema.names_at(self.violation.schema_path().as_str());
        let nearest = report.nearest(property, names.iter().copied());
        let place = quoted(&self.place(Some(property)));
        let message = format!("component {} has the unknown property {place}", self.name());
        let path = self.path(Some(property));
        if let Some(name) = nearest.filter(|name| missing.remove(&self.path(Some(*name)))) {
            let message = format!("{message} and no {}", quoted(&self.place(Some(name))));
            let hint = format!("did you mean {}?", quoted(name));
            return report.component(ProblemCode::UnknownProperty, self.at, &path, message, hint);
        }
        let hint = match nearest {
            Some(name) => format!("it has no effect; did you mean {}?", quoted(name)),
            None if names.is_empty() => "it has no effect; remove it".to_owned(),
            None => format!("it has no effect; known properties are {}", list(names.iter().copied())),
        };
        report.warn(ProblemCode::UnknownProperty, self.at, &path, message, hint);
    }

    fn name(&self) -> String {
        self.wiring.name(self.at)
    }

    /// Fields of the format, and the object that `profile` names, stand in the config itself, not deeper.
    fn is_of_the_format(&self, property: &str) -> bool {
        let profile = self.wiring.components[self.at].config.get("profile").and_then(Value::as_str);
        self.violation.instance_path().as_str().is_empty()
            && (FORMAT_FIELDS.contains(&property) || profile == Some(property))
    }

    /// The JSON pointer below the component.
    fn path(&self, property: Option<&str>) -> String {
        let step = property.map_or(String::new(), |name| format!("/{}", pointer_step(name)));
        format!("/config{}{step}", self.violation.instance_path().as_str())
    }

    /// The same as people write it: `config.headers.accept`.
    fn place(&self, property: Option<&str>) -> String {
        self.path(property).trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
    }
}
