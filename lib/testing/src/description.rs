//! What the API's description says of an answer's fields: each is always there, unless the description says that it is
//! left out. Every answer that a test gets is held against it.

use http::Method;
use serde_json::Value;
use std::sync::LazyLock;

/// The description of this repository.
static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/openapi.yaml");
    let text = std::fs::read_to_string(path).expect("the description is there");
    Description(serde_yaml_ng::from_str(&text).expect("the description is YAML"))
});

/// The clients of others have forms of their own.
const OTHERS: [&str; 2] = ["rocketride", "checkly"];

/// The description of the HTTP API.
pub struct Description(Value);

/// A success that an operation may answer.
pub struct Success<'a> {
    /// The operation's name.
    pub operation: &'a str,
    pub schema: &'a Value,
    pub examples: Vec<&'a Value>,
}

impl Description {
    pub fn of_this_repository() -> &'static Description {
        &DESCRIPTION
    }

    /// Every answer in JSON that is a success, but those to the clients of others.
    pub fn successes(&self) -> impl Iterator<Item = Success<'_>> {
        let paths = self.0["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(_, methods)| methods.as_object().into_iter().flatten());
        operations.map(|(_, operation)| operation).filter(|operation| is_ours(operation)).flat_map(successes)
    }

    /// The fields that an answer lacks, each by its way from the top.
    pub fn lacks(&self, method: &Method, path: &str, answer: &Value) -> Vec<String> {
        let path = path.split('?').next().unwrap_or_default();
        let operation = self.operation(method, path).filter(|operation| is_ours(operation));
        let schemas = operation.into_iter().flat_map(successes).map(|success| success.schema);
        // Each success has its schema; the answer is one of them.
        schemas.map(|schema| self.lacking(schema, answer)).min_by_key(Vec::len).unwrap_or_default()
    }

    /// The fields that a value of a schema lacks.
    pub fn lacking(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut lacking = Vec::new();
        self.look(schema, value, "", &mut lacking);
        lacking
    }

    /// The properties of a schema and of those below it that are neither required nor said to be left out.
    pub fn undecided(&self, schema: &Value) -> Vec<String> {
        let mut undecided = Vec::new();
        self.decide(schema, "", &mut Vec::new(), &mut undecided);
        undecided
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let paths = self.0["paths"].as_object()?;
        let mut found: Vec<&String> = paths.keys().filter(|template| fits(template, path)).collect();
        found.sort_by_key(|template| template.matches('{').count());
        let method = method.as_str().to_ascii_lowercase();
        found.into_iter().find_map(|template| paths[template].get(&method))
    }

    fn look(&self, schema: &Value, value: &Value, at: &str, lacking: &mut Vec<String>) {
        let schema = self.resolved(schema);
        if schema.get("x-as-sent").is_some() {
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.look(&schema["items"], item, at, lacking)),
            Value::Object(fields) => {
                let named = schema["properties"].as_object();
                for (name, property) in named.into_iter().flatten() {
                    match fields.get(name) {
                        Some(value) => self.look(property, value, &format!("{at}.{name}"), lacking),
                        None if property.get("x-left-out").is_some() => {}
                        None => lacking.push(format!("{at}.{name}")),
                    }
                }
                let others = fields.iter().filter(|(name, _)| named.is_none_or(|named| !named.contains_key(*name)));
                others.for_each(|(_, value)| self.look(&schema["additionalProperties"], value, at, lacking));
            }
            _ => {}
        }
    }

    fn decide<'a>(&'a self, schema: &'a Value, at: &str, above: &mut Vec<&'a Value>, undecided: &mut Vec<String>) {
        let schema = self.resolved(schema);
        if schema.get("x-as-sent").is_some() || above.iter().any(|one| std::ptr::eq(*one, schema)) {
            return;
        }
        above.push(schema);
        let required = schema["required"].as_array();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.is_some_and(|required| required.iter().any(|one| one == name));
            if is_required == property.get("x-left-out").is_some() {
                undecided.push(format!("{at}.{name}"));
            }
            self.decide(property, &format!("{at}.{name}"), above, undecided);
        }
        self.decide(&schema["items"], at, above, undecided);
        self.decide(&schema["additionalProperties"], at, above, undecided);
        above.pop();
    }

    /// The schema that a reference means, also where more is said beside it.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let only = schema["allOf"].as_array().filter(|all| all.len() == 1).map(|all| &all[0]);
        if let Some(only) = only {
            return self.resolved(only);
        }
        match schema["$ref"].as_str().and_then(|reference| self.0.pointer(reference.trim_start_matches('#'))) {
            Some(meant) => self.resolved(meant),
            None => schema,
        }
    }
}

fn is_ours(operation: &Value) -> bool {
    let tags = operation["tags"].as_array();
    tags.is_some_and(|tags| !tags.iter().any(|tag| OTHERS.iter().any(|other| tag == other)))
}

fn successes(operation: &Value) -> impl Iterator<Item = Success<'_>> {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let bodies = responses.filter(|(status, _)| status.starts_with('2'));
    let bodies = bodies.filter_map(|(_, response)| response["content"].get("application/json"));
    bodies.map(|body| {
        let several = body["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
        Success {
            operation: operation["operationId"].as_str().unwrap_or_default(),
            schema: &body["schema"],
            examples: body.get("example").into_iter().chain(several).collect(),
        }
    })
}

/// Whether a path is one of a template's, as `/v1/runs/{run}`.
fn fits(template: &str, path: &str) -> bool {
    let (mut given, mut wanted) = (path.split('/'), template.split('/'));
    loop {
        match (given.next(), wanted.next()) {
            (None, None) => return true,
            (Some(given), Some(wanted)) if wanted.starts_with('{') || given == wanted => {}
            _ => return false,
        }
    }
}
