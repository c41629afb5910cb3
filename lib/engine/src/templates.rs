//! Jinja templates, bounded in work and output.

use crate::component::Fault;
use crate::json::Json;
use crate::log::shorten;
use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior};
use std::io;

/// Instructions of one rendering: some 10,000 items with a few dozen instructions each.
const FUEL: u64 = 5_000_000;

/// The platform's limit for one object.
const OUTPUT_LIMIT: usize = 6_000_000;

const NAME: &str = "template";

/// A compiled template.
pub struct Template {
    environment: Environment<'static>,
    what: &'static str,
}

impl Template {
    /// Compiles a template; `what` names the config's field in errors.
    pub fn compile(what: &'static str, source: &str) -> Result<Template, Fault> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|problem| Fault::new(format!("`{what}` is not a template: {}", describe(&problem))))?;
        Ok(Template { environment, what })
    }

    pub fn render(&self, variables: &[(&str, &Json)]) -> Result<String, Fault> {
        let context = Value::from_pairs(variables.iter().map(|(name, value)| (*name, to_value(value))));
        let template = self.environment.get_template(NAME).expect("the template was added when it was compiled");
        let mut out = Bounded(Vec::new());
        match template.render_captured_to(context, &mut out) {
            Ok(_) => Ok(String::from_utf8(out.0).expect("templates write text")),
            Err(_) if out.0.len() >= OUTPUT_LIMIT => {
                Err(Fault::new(format!("`{}` writes more than 6 MB, the limit of an object", self.what)))
            }
            Err(problem) => Err(Fault::new(format!("`{}` cannot be rendered: {}", self.what, describe(&problem)))),
        }
    }
}

fn describe(problem: &minijinja::Error) -> String {
    let detail = problem.detail().map(|detail| format!(": {}", shorten(detail, 200))).unwrap_or_default();
    let line = problem.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    format!("{}{detail}{line}", problem.kind())
}

/// A text that refuses to grow beyond the limit.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.0.len() + text.len() > OUTPUT_LIMIT {
            self.0.resize(OUTPUT_LIMIT, b' ');
            return Err(io::Error::other("too long"));
        }
        self.0.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A number beyond the machine's integers. An integer that is too long to calculate with is its digits.
fn number_value(text: &str) -> Value {
    if let Ok(integer) = text.parse::<i128>() {
        return Value::from(integer);
    }
    match text.parse::<f64>() {
        Ok(float) if !crate::json::is_integer(text) => Value::from(float),
        _ => Value::from(text),
    }
}

fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(bool) => Value::from(*bool),
        Json::Num(number) => match number.as_isize() {
            Some(integer) => Value::from(integer as i64),
            None => number_value(&number.to_string()),
        },
        Json::TStr(text) | Json::BStr(text) => Value::from(String::from_utf8_lossy(text).into_owned()),
        Json::Arr(items) => items.iter().map(to_value).collect(),
        Json::Obj(fields) => {
            let name = |name: &Json| crate::json::to_text(name).unwrap_or_default();
            Value::from_pairs(fields.iter().map(|(key, value)| (name(key), to_value(value))))
        }
    }
}
