//! The template, read: its resources, its functions, and what their policies allow. Tests only.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace").to_owned()
}

pub fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// YAML with CloudFormation's short forms written out: `!GetAtt Table.Arn` is `{"Fn::GetAtt": "Table.Arn"}`.
pub fn yaml(file: &str) -> Value {
    plain(serde_yaml_ng::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}")))
}

fn plain(value: serde_yaml_ng::Value) -> Value {
    use serde_yaml_ng::Value as Yaml;
    match value {
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let function = match tag.trim_start_matches('!') {
                name @ ("Ref" | "Condition") => name.to_owned(),
                name => format!("Fn::{name}"),
            };
            json!({ function: plain(tagged.value) })
        }
        Yaml::Mapping(entries) => {
            let key = |key: Yaml| key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
            entries.into_iter().map(|(name, value)| (key(name), plain(value))).collect::<Map<_, _>>().into()
        }
        Yaml::Sequence(items) => items.into_iter().map(plain).collect(),
        scalar => serde_json::to_value(scalar).expect("a scalar is JSON"),
    }
}

/// What a value refers to, as text: `Table.Arn`, `RunsQueue`, or the text of a `!Sub`. Where there is a choice, its first.
pub fn text(value: &Value) -> String {
    if let Some(first) = value["Fn::If"].get(1) {
        return text(first);
    }
    let referred = ["Ref", "Fn::GetAtt", "Fn::Sub"].iter().find_map(|function| value.get(function));
    match referred.unwrap_or(value) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One or many, as many.
pub fn each(value: &Value) -> Vec<String> {
    value.as_array().map_or_else(|| vec![text(value)], |items| items.iter().map(text).collect())
}

/// The template.
pub struct Template(pub Value);

/// One function of the template.
pub struct Function<'a> {
    /// Its name in the template, e.g. `RunExecuteFunction`.
    pub resource: &'a str,
    /// The handler, which is the function's name everywhere else.
    pub name: &'a str,
    pub properties: &'a Value,
}

/// What a policy allows.
#[derive(Debug)]
pub struct Statement {
    pub actions: BTreeSet<String>,
    pub resources: Vec<String>,
    /// The partition keys of the table that it is for.
    pub keys: BTreeSet<String>,
}

impl Template {
    pub fn read() -> Template {
        Template(yaml("template.yaml"))
    }

    pub fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0["Resources"]
            .as_object()
            .expect("it has resources")
            .iter()
            .map(|(name, resource)| (name.as_str(), resource))
    }

    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.resources().filter(move |(_, resource)| resource["Type"] == kind)
    }

    pub fn resource(&self, name: &str) -> &Value {
        self.0["Resources"].get(name).unwrap_or_else(|| panic!("the template has no `{name}`"))
    }

    pub fn functions(&self) -> Vec<Function<'_>> {
        let functions = self.of_type("AWS::Serverless::Function").map(|(resource, function)| {
            let name = function["Properties"]["Handler"].as_str();
            let name = name.unwrap_or_else(|| panic!("`{resource}` names no handler"));
            Function { resource, name, properties: &function["Properties"] }
        });
        functions.collect()
    }
}

impl Function<'_> {
    pub fn statements(&self) -> Vec<Statement> {
        let policies = self.properties["Policies"].as_array().into_iter().flatten();
        let statements = policies.flat_map(|policy| policy["Statement"].as_array().expect("a policy has statements"));
        statements.map(Statement::read).collect()
    }

    /// Seconds after which it is stopped.
    pub fn timeout(&self, template: &Template) -> u64 {
        let own = self.properties["Timeout"].as_u64();
        own.or(template.0["Globals"]["Function"]["Timeout"].as_u64()).expect("a function has a timeout")
    }

    /// The queue that it takes messages from, and how.
    pub fn queue<'t>(&self, template: &'t Template) -> Option<(String, &'t Value)> {
        let mut mappings =
            template.of_type("AWS::Lambda::EventSourceMapping").map(|(_, mapping)| &mapping["Properties"]);
        let mapping = mappings.find(|mapping| text(&mapping["FunctionName"]) == self.resource)?;
        Some((resource_of(&text(&mapping["EventSourceArn"])), mapping))
    }

    pub fn events(&self) -> impl Iterator<Item = &Value> {
        self.properties["Events"].as_object().into_iter().flat_map(|events| events.values())
    }
}

impl Statement {
    pub fn read(statement: &Value) -> Statement {
        let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        Statement {
            actions: each(&statement["Action"]).into_iter().collect(),
            resources: each(&statement["Resource"]),
            keys: keys.as_array().into_iter().flatten().map(text).collect(),
        }
    }

    pub fn allows(&self, action: &str) -> bool {
        self.actions.contains(action)
    }
}

/// `RunsQueue` of `RunsQueue.Arn`.
pub fn resource_of(reference: &str) -> String {
    reference.split('.').next().unwrap_or(reference).to_owned()
}
