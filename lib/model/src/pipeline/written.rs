//! A pipeline that was written in another format than JSON, as it is sent and stored.
//!
//! `{"format": "yaml", "text": "…"}` stands in the pipeline's place. The text stays as people wrote it, and what runs is
//! made of it.

use super::formats::{Format, Unreadable};
use super::json::{self, PIPELINE};
use super::members;
use super::problem::{Problem, ProblemCode, quoted};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The text of a pipeline and its format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenPipeline {
    /// How the text is written.
    pub format: Format,
    /// The text, to the byte.
    pub text: String,
    /// Where in the text the pipeline stands: nowhere else than at `/pipeline`, if the text is a deploy file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The project, if the text names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The component to start at, whatever the text says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Where a deploy file has its pipeline.
pub const IN_DEPLOY_FILE: &str = "/pipeline";

impl WrittenPipeline {
    /// The pipeline of a text, or of a deploy file's text.
    pub fn new(format: Format, text: impl Into<String>, is_deploy_file: bool) -> WrittenPipeline {
        let at = is_deploy_file.then(|| IN_DEPLOY_FILE.to_owned());
        WrittenPipeline { format, text: text.into(), at, project_id: None, source: None }
    }

    /// As it is sent and stored.
    pub fn to_raw(&self) -> Box<RawValue> {
        serde_json::value::to_raw_value(self).expect("texts are JSON")
    }

    /// The written pipeline that stands in a pipeline's place, if one does.
    ///
    /// # Errors
    ///
    /// A field that it does not have, or a format that is not known.
    pub fn of(text: &str) -> Result<Option<WrittenPipeline>, Box<Problem>> {
        match serde_json::from_str::<Members>(text) {
            Ok(Members { format: Some(_), text: Some(text_of), components: None })
                if text_of.get().starts_with('"') => {}
            _ => return Ok(None),
        }
        serde_json::from_str(text).map(Some).map_err(|error| {
            let cause = error.to_string();
            let cause = cause.split(" at line ").next().unwrap_or_default();
            let message = format!("the pipeline's text cannot be read: {cause}");
            let hint = "send `{\"format\": \"yaml\", \"text\": \"…\"}`; the formats are `json`, `jsonc` and `yaml`";
            Box::new(Problem::new(ProblemCode::InvalidValue, message, hint))
        })
    }

    /// The pipeline as JSON.
    ///
    /// # Errors
    ///
    /// The text cannot be read, or has no pipeline where one should be.
    pub fn json(&self) -> Result<Box<RawValue>, Box<Problem>> {
        let whole =
            self.format.convert(&self.text, &PIPELINE).map_err(|unreadable: Box<Unreadable>| unreadable.problem)?;
        let whole = raw(whole.json);
        let mut pipeline = match self.at.as_deref() {
            None | Some("") => whole,
            Some(IN_DEPLOY_FILE) => match members::member(&whole, "pipeline") {
                Some(pipeline) => raw(pipeline.to_owned()),
                None => {
                    let hint = "leave `at` out if the text is a pipeline";
                    let message = "the text has no `pipeline`";
                    return Err(Box::new(Problem::new(ProblemCode::MissingField, message, hint)));
                }
            },
            Some(other) => {
                let message = format!("the pipeline's text has it at {}, where none can be", quoted(other));
                let hint = format!("give `{IN_DEPLOY_FILE}` as `at`, or leave it out");
                return Err(Box::new(Problem::new(ProblemCode::InvalidValue, message, hint)));
            }
        };
        if members::member(&pipeline, "project_id").is_none_or(|id| id == "null")
            && let Some(changed) = self.set(&pipeline, "project_id", self.project_id.as_deref())
        {
            pipeline = changed;
        }
        if let Some(changed) = self.set(&pipeline, "source", self.source.as_deref()) {
            pipeline = changed;
        }
        Ok(pipeline)
    }

    fn set(&self, pipeline: &RawValue, name: &str, value: Option<&str>) -> Option<Box<RawValue>> {
        let value = serde_json::to_string(value?).expect("a text is JSON");
        members::set_member(pipeline, name, &value)
    }
}

/// The pipeline as JSON, and its text if that is in another format.
///
/// # Errors
///
/// As [`WrittenPipeline::of`] and [`WrittenPipeline::json`].
pub fn json_of(pipeline: &RawValue) -> Result<(Box<RawValue>, Option<WrittenPipeline>), Box<Problem>> {
    match WrittenPipeline::of(pipeline.get())? {
        None => Ok((pipeline.to_owned(), None)),
        Some(written) => Ok((written.json()?, Some(written))),
    }
}

/// What of an object shows whether a pipeline's text stands in its place.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default)]
    format: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    components: Option<&'a RawValue>,
}

/// Reads a pipeline in either form, as strictly as JSON from strangers is read.
pub(super) fn parse(text: &str) -> Result<(Value, Option<String>), Box<Problem>> {
    let value = json::parse(text, &PIPELINE)?;
    if !value.as_object().is_some_and(may_be_written) {
        return Ok((value, None));
    }
    match WrittenPipeline::of(text)? {
        None => Ok((value, None)),
        Some(written) => {
            let json = written.json()?;
            Ok((json::parse(json.get(), &PIPELINE)?, Some(json.get().to_owned())))
        }
    }
}

fn may_be_written(object: &Map<String, Value>) -> bool {
    object.contains_key("format") && object.contains_key("text")
}

fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).expect("what was converted is JSON")
}
