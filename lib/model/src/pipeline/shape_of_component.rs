//! Reads one component: its id, provider, config and connections.

use super::problem::{ProblemCode, quoted};
use super::reader::{Reader, kind_of};
use super::shape_of_config::check_config;
use super::{Component, Control, Input, limits};
use crate::ids::nameable;
use serde_json::{Map, Value};

impl Reader {
    pub fn component(&mut self, at: usize, mut value: Value) -> Component {
        (self.at, self.id) = (Some(at), None);
        let nothing = Map::new();
        if !value.is_object() {
            let message = format!("component {} is {}, expected an object", at + 1, kind_of(&value));
            self.report(ProblemCode::WrongType, "", message, "write `{\"id\": …, \"provider\": …, \"config\": {}}`");
            let config = Value::Object(nothing);
            return Component { id: String::new(), provider: String::new(), config, input: vec![], control: vec![] };
        }
        let config = value.get_mut("config").map(Value::take);
        let fields = value.as_object().unwrap_or(&nothing);
        let id = self.id(fields);
        let provider =
            self.text(fields, None, "provider", "name the kind of component, e.g. `\"provider\": \"response\"`");
        let config = self.config(config);
        let input = self.list(fields, "input", |reader, at, entry| {
            let lane = reader.text(entry, at, "lane", "name the lane, e.g. `\"lane\": \"text\"`")?;
            Some(Input { lane, from: reader.text(entry, at, "from", "give the id of the component it comes from")? })
        });
        let control = self.list(fields, "control", |reader, at, entry| {
            let class =
                reader.text(entry, at, "classType", "name the kind of attachment, e.g. `\"classType\": \"llm\"`")?;
            Some(Control { class, from: reader.text(entry, at, "from", "give the id of the component that uses it")? })
        });
        Component { id, provider: provider.unwrap_or_default(), config, input, control }
    }

    fn id(&mut self, fields: &Map<String, Value>) -> String {
        let Some(id) =
            self.text(fields, None, "id", "give every component an id of its own, e.g. `\"id\": \"parse_1\"`")
        else {
            return String::new();
        };
        let characters = id.chars().count();
        if characters > limits::ID_CHARACTERS {
            let message = format!("component {} has an id of {characters} characters, the limit is 256", quoted(&id));
            self.report(ProblemCode::InvalidValue, "/id", message, "shorten it to 256 characters");
            return String::new();
        }
        if let Err(invalid) = nameable("component", &id) {
            self.report(ProblemCode::InvalidValue, "/id", invalid.message, invalid.hint);
            return String::new();
        }
        self.id = Some(id.clone());
        id
    }

    fn config(&mut self, config: Option<Value>) -> Value {
        let hint = "write `\"config\": {}` if there is nothing to set";
        match config {
            Some(Value::Object(config)) => {
                check_config(self, &config);
                return Value::Object(config);
            }
            None => self.missing("/config", "config", hint),
            Some(other) => self.wrong_type("/config", "config", &other, "an object", hint),
        }
        Value::Object(Map::new())
    }
}
