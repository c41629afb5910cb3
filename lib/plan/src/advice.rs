//! Warns of what is allowed but probably not meant: fields of a deploy file inside the pipeline, `${…}` that names nothing,
//! credentials that stand in the text. Never repeats a text of a config: it may be a secret.

use crate::report::Report;
use crate::wiring::Wiring;
use serde_json::Value;
use tidemill_model::pipeline::problem::{ProblemCode, pointer_step, quoted};
use tidemill_model::pipeline::{Pipeline, Problem};

/// Says which fields of a deploy file stand inside the pipeline, where they do nothing.
pub fn of_misplaced(pipeline: &Pipeline) -> Vec<Problem> {
    let warning = |name: &&'static str| {
        let message = format!("pipeline has `{name}`, which has no effect inside a pipeline");
        let hint = match *name {
            "group" => "name the group with the deploy: `tidemill deploy --group`".to_owned(),
            name => {
                format!(
                    "write it beside the pipeline: `{{\"pipeline\": {{…}}, \"{name}\": …}}`, or give it as an option"
                )
            }
        };
        Problem::new(ProblemCode::MisplacedField, message, hint).at(format!("/{name}"))
    };
    pipeline.misplaced().iter().map(warning).collect()
}

/// Looks at every text of every config.
pub fn warn(wiring: &Wiring, report: &mut Report) {
    for (at, component) in wiring.components.iter().enumerate() {
        let mut stack = vec![("/config".to_owned(), "", &component.config)];
        while let Some((path, name, value)) = stack.pop() {
            match value {
                Value::String(text) => of_text(wiring, at, &path, name, text, report),
                Value::Array(items) => {
                    let items = items.iter().enumerate().rev();
                    stack.extend(items.map(|(index, item)| (format!("{path}/{index}"), name, item)));
                }
                Value::Object(fields) => {
                    let fields = fields.iter().rev();
                    stack
                        .extend(fields.map(|(name, field)| (format!("{path}/{}", pointer_step(name)), &**name, field)));
                }
                _ => {}
            }
        }
    }
}

fn of_text(wiring: &Wiring, at: usize, path: &str, name: &str, text: &str, report: &mut Report) {
    let place = quoted(&path.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~"));
    let component = wiring.name(at);
    if let Some(malformed) = malformed_name(text) {
        let message = format!("component {component} has {} in {place}, which names no secret", quoted(malformed));
        let hint = "it is sent as it stands; a name has letters, digits and `_`, as in `${API_TOKEN}`";
        report.warn(ProblemCode::MalformedName, at, path, message, hint);
    }
    if is_credential(name, text) {
        let message = format!("component {component} has what looks like a credential in {place}");
        let hint = "store it with `tidemill secrets set NAME`, and write `${NAME}`; everyone who can read the pipeline \
                    can read it here";
        report.warn(ProblemCode::LiteralCredential, at, path, message, hint);
    }
}

/// Longest text between the brackets that may be meant as a name, in bytes.
const NAME_LIMIT: usize = 64;

/// The first `${…}` that has the form of a name and is none.
fn malformed_name(text: &str) -> Option<&str> {
    text.match_indices("${").find_map(|(start, _)| {
        let end = text[start..].find('}')? + start + 1;
        let name = &text[start + 2..end - 1];
        let is_close = name.len() <= NAME_LIMIT && !name.contains(['\n', '"', '{', '$']);
        (is_close && !is_secret_name(name)).then(|| &text[start..end])
    })
}

/// Whether a text is the name of a secret.
pub fn is_secret_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What fields that hold credentials are called, without marks and in small letters; a name may also end so.
const FIELDS: [&str; 9] =
    ["apikey", "accesskey", "secretkey", "privatekey", "token", "secret", "password", "passwd", "authorization"];

/// How credentials of well-known services begin, and how long such a one is at least.
const PREFIXES: [(&str, usize); 14] = [
    ("sk-", 20),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("xai-", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("AKIA", 20),
    ("AIza", 30),
    ("hf_", 20),
    (PEM, 20),
];

/// How a key in a text of lines begins. <https://www.rfc-editor.org/rfc/rfc7468>
const PEM: &str = "-----BEGIN ";

/// Whether a constant text looks like a credential, by its field's name or by itself.
fn is_credential(name: &str, text: &str) -> bool {
    if text.contains("${") || text.contains("{{") {
        return false;
    }
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let value = text.trim().trim_start_matches("Bearer ").trim_start_matches("Basic ").trim();
    let is_one_word = !value.contains(char::is_whitespace) || value.starts_with(PEM);
    let is_of_a_service = PREFIXES.iter().any(|(prefix, length)| value.starts_with(prefix) && value.len() >= *length);
    is_one_word && (is_of_a_service || value.len() >= 8 && FIELDS.iter().any(|field| name.ends_with(field)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_their_field_or_their_beginning() {
        for (name, text) in [
            ("apikey", "0123456789abcdef"),
            ("Authorization", "Bearer 0123456789abcdef"),
            ("x-api-key", "0123456789abcdef"),
            ("value", "sk-proj-0123456789abcdefghij"),
            ("url", "AKIAIOSFODNN7EXAMPLE"),
        ] {
            assert!(is_credential(name, text), "{name} {text}");
        }
        for (name, text) in [
            ("apikey", "${API_KEY}"),
            ("Authorization", "Bearer ${TOKEN}"),
            ("Authorization", "Bearer {{ value.token }}"),
            ("token", ""),
            ("key", ".id // .url"),
            ("prompt", "sk- is how a key begins"),
            ("password", "changeme"[..4].as_ref()),
            ("url", "https://example.com/token/0123456789"),
        ] {
            assert!(!is_credential(name, text), "{name} {text}");
        }
    }

    #[test]
    fn a_name_in_brackets_that_is_none_is_found() {
        assert_eq!(malformed_name("a ${API TOKEN} b"), Some("${API TOKEN}"));
        assert_eq!(malformed_name("${OK} ${1st}"), Some("${1st}"));
        assert_eq!(malformed_name("${}"), Some("${}"));
        for text in ["${API_TOKEN}", "${", "$ {A B}", "${ if x {\n} }", "costs $5"] {
            assert_eq!(malformed_name(text), None, "{text}");
        }
    }
}
