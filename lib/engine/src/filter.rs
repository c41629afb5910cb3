//! JSON for people: an answer shown in lines and colours, or only what a jq program gives of it. Numbers keep every digit.

use crate::jq::Program;
use crate::json::{self, Json};
use jaq_json::write::{Pp, Styles};
use tidemill_plan::TextProblem;

/// How JSON is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// On one line.
    Line,
    /// A line for each field and item.
    Indented,
    /// The same in colours of a terminal; `JQ_COLORS` is not read.
    Coloured,
}

/// A jq program for answers.
pub struct Filter(Program);

impl Filter {
    /// # Errors
    /// The text is no jq program.
    pub fn parse(program: &str) -> Result<Filter, TextProblem> {
        let hint = |problem: TextProblem| TextProblem {
            hint: "see the jq manual; `env`, `input` and modules are not available".to_owned(),
            ..problem
        };
        Program::parse(program).map(Filter).map_err(hint)
    }

    /// What the program gives of an answer: texts as they are, anything else as JSON.
    ///
    /// # Errors
    /// The program fails, or works too long.
    pub fn run(&self, answer: &str, form: Form) -> Result<Vec<String>, String> {
        let answer = json::reread(answer).ok_or("the answer is not JSON")?;
        self.0.values(answer)?.iter().map(|value| written(value, form)).collect()
    }
}

/// JSON in another form; `None` if it is none.
pub fn shown(json: &str, form: Form) -> Option<String> {
    let value = json::reread(json)?;
    match (&value, form) {
        (_, Form::Line) => json::to_compact(&value).ok(),
        _ => Some(pretty(&value, form)),
    }
}

fn written(value: &Json, form: Form) -> Result<String, String> {
    match (value, form) {
        (Json::TStr(_) | Json::BStr(_), _) => json::to_text(value).map_err(|fault| fault.message),
        (_, Form::Line) => json::to_compact(value).map_err(|fault| fault.message),
        _ => Ok(pretty(value, form)),
    }
}

fn pretty(value: &Json, form: Form) -> String {
    let styles = if form == Form::Coloured { Styles::ansi() } else { Styles::default() };
    let form = Pp { indent: Some("  ".to_owned()), styles, sep_space: true, ..Pp::default() };
    let mut text = Vec::new();
    jaq_json::write::write(&mut text, &form, 0, value).expect("a Vec takes every write");
    // A terminal takes these characters for commands; JSON may spell them out.
    let spelled = |c: char| match c {
        '\u{80}'..='\u{9f}' => format!("\\u{:04x}", u32::from(c)),
        other => other.to_string(),
    };
    String::from_utf8_lossy(&text).chars().map(spelled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str =
        r#"{"items":[{"project":"a","n":1.0},{"project":"b","n":123456789012345678901234567890}],"next":null}"#;

    fn given(program: &str) -> Result<Vec<String>, String> {
        Filter::parse(program).map_err(|problem| problem.message)?.run(ANSWER, Form::Line)
    }

    #[test]
    fn texts_are_given_as_they_are_and_the_rest_as_json() {
        assert_eq!(given(".items[].project").unwrap(), ["a", "b"]);
        assert_eq!(given(".items[1].n, .next").unwrap(), ["123456789012345678901234567890", "null"]);
        assert_eq!(given(".items[0]").unwrap(), [r#"{"project":"a","n":1.0}"#]);
        assert!(given("empty").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_program_and_what_fails_says_why() {
        assert!(given(".items[").unwrap_err().contains("is not a jq program"));
        assert!(given(".items | .project").unwrap_err().contains("project"), "{:?}", given(".items | .project"));
        assert!(given("[range(1e9)] | length").is_err(), "its work is bounded");
        assert!(given("halt").unwrap().is_empty());
    }

    #[test]
    fn json_is_indented_with_all_digits_and_coloured_if_it_is_asked_for() {
        let text = r#"{"a":[1.0,{}],"b":"x","c":123456789012345678901234567890,"d":[]}"#;

        let indented = shown(text, Form::Indented).unwrap();

        assert_eq!(
            indented,
            "{\n  \"a\": [\n    1.0,\n    {}\n  ],\n  \"b\": \"x\",\n  \"c\": 123456789012345678901234567890,\n  \"d\": []\n}"
        );
        assert_eq!(shown(text, Form::Line).unwrap(), text);
        let coloured = shown(text, Form::Coloured).unwrap();
        assert!(coloured.contains("\u{1b}[32m\"x\"\u{1b}[0m"), "{coloured:?}");
        assert_eq!(shown("{", Form::Indented), None);
        assert!(!shown("\"\u{9b}31m\"", Form::Indented).unwrap().contains('\u{9b}'));
    }
}
