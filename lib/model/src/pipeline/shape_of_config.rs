//! The fields that the format itself gives meaning to in every component's config.

use super::problem::{ProblemCode, pointer_step, quoted};
use super::reader::{Reader, kind_of};
use serde_json::{Map, Value};

/// Config fields of the format and of RocketRide's editor, allowed beside those of a provider. The object that `profile`
/// names is one more.
pub const FORMAT_FIELDS: [&str; 9] =
    ["mode", "type", "hideForm", "profile", "parameters", "secureParameters", "name", "description", "actions"];

pub fn check_config(reader: &mut Reader, config: &Map<String, Value>) {
    if let Some(profile) = config.get("profile") {
        check_profile(reader, config, profile);
    }
    if let Some(parameters) = config.get("parameters").filter(|value| !value.is_object()) {
        let hint = "write an object of names and values, or leave it out";
        reader.wrong_type("/config/parameters", "config.parameters", parameters, "an object", hint);
    }
    if let Some(secure) = config.get("secureParameters")
        && !is_secure_parameters(secure)
    {
        let message = format!("{} has `config.secureParameters` of another form", reader.subject());
        let hint = "write `{\"secure\": [], \"token\": \"\"}`, or leave it out";
        reader.report(ProblemCode::WrongType, "/config/secureParameters", message, hint);
    }
}

fn check_profile(reader: &mut Reader, config: &Map<String, Value>, profile: &Value) {
    let hint = "name a profile, or leave it out";
    let name = match profile {
        Value::String(name) if !name.is_empty() => name,
        Value::String(_) => {
            let message = format!("{} has an empty `config.profile`", reader.subject());
            return reader.report(ProblemCode::InvalidValue, "/config/profile", message, hint);
        }
        other => return reader.wrong_type("/config/profile", "config.profile", other, "a string", hint),
    };
    if let Some(value) = config.get(name).filter(|value| !value.is_object()) {
        let kind = kind_of(value);
        let message = format!("{} has {kind} as its profile {}, expected an object", reader.subject(), quoted(name));
        let hint = "write the profile's settings as an object, or remove it to use the profile as it is";
        reader.report(ProblemCode::WrongType, &format!("/config/{}", pointer_step(name)), message, hint);
    }
}

fn is_secure_parameters(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| {
        fields.get("secure").is_none_or(Value::is_array) && fields.get("token").is_none_or(Value::is_string)
    })
}
