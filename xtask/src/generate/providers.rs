//! `docs/providers.md`: the catalogue of providers, as `tidemill providers` and the API give it.

use serde_json::Value;
use std::fmt::Write;
use tidemill_plan::Provider;

const HEAD: &str = "<!-- Written by `cargo xtask generate` from lib/engine/src/providers. -->

# Providers

What the components of a pipeline can be. `tidemill providers` shows the same list.
";

/// The page.
pub fn text() -> String {
    let mut text = HEAD.to_owned();
    for provider in tidemill_engine::catalogue().iter() {
        write!(text, "\n## `{}`\n\n{}\n\n{}", provider.name, provider.description, lanes(provider))
            .expect("a text takes more text");
        if provider.local_only {
            text.push_str("\nOnly on a laptop: it reads or writes files of the plane's machine.\n");
        }
        text.push_str(&config(&provider.config));
    }
    text
}

/// The word of the wire for a lane or a class.
fn word(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => format!("`{word}`"),
        other => panic!("this is no word: {other:?}"),
    }
}

fn words(values: &[impl serde::Serialize]) -> String {
    values.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn lanes(provider: &Provider) -> String {
    let mut text = format!("- class: {}\n", word(provider.class));
    if !provider.gives.is_empty() {
        writeln!(text, "- gives: {}", words(&provider.gives)).expect("a text takes more text");
    }
    for (lane, gives) in &provider.lanes {
        let gives = if gives.is_empty() { "nothing".to_owned() } else { words(gives) };
        writeln!(text, "- takes {}, gives {gives}", word(lane)).expect("a text takes more text");
    }
    text
}

/// The fields of a config, as its JSON Schema describes them.
fn config(schema: &Value) -> String {
    let Some(fields) = schema["properties"].as_object().filter(|fields| !fields.is_empty()) else {
        return String::new();
    };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let rows = fields.iter().map(|(name, field)| {
        let default = match &field["default"] {
            _ if required.contains(&name.as_str()) => "required".to_owned(),
            Value::Null => "-".to_owned(),
            default => format!("`{}`", default.to_string().replace('|', "\\|")),
        };
        let description = field["description"].as_str().unwrap_or_default().replace('|', "\\|").replace('\n', " ");
        format!("| `{name}` | {default} | {description} |\n")
    });
    format!("\n| field | default | what it does |\n|---|---|---|\n{}", rows.collect::<String>())
}
