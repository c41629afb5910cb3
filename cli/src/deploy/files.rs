//! Pipelines on disk: which files of a folder hold one, and what a file says about its deployment.

use crate::api::views::Detail;
use crate::deploy::settings::Settings;
use crate::failure::Failure;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use tidemill_model::pipeline::limits::FILE_BYTES;
use tidemill_model::pipeline::{DeployFile, unwrap_file};
use tidemill_plan::Target;

/// A file that is ready to be deployed.
pub struct PreparedPipeline {
    /// As it was named on the command line, or found in a folder that was.
    pub file: PathBuf,
    /// The text is the file's, to the byte.
    pub pipeline: Box<RawValue>,
    /// The pipeline's `project_id`; empty if it has none, which the plane then refuses.
    pub project: String,
    pub settings: Settings,
}

impl PreparedPipeline {
    /// What is allowed and probably not meant. None for a pipeline that cannot run: the plane reports its problems.
    pub fn warnings(&self) -> Vec<Detail> {
        let on_cron = self.settings.schedule.as_deref().is_some_and(|schedule| schedule != "manual");
        let target = Target { local: true, on_cron, source: None };
        match tidemill_plan::compile_text(self.pipeline.get(), tidemill_engine::catalogue(), &target) {
            Ok((_, compiled)) => compiled.warnings.into_iter().map(|warning| self.named(warning.into())).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Names the file in what is said about its pipeline.
    pub fn named(&self, detail: Detail) -> Detail {
        Detail { file: Some(self.file.display().to_string()), ..detail }
    }
}

/// Reads a file, or standard input for `-`.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = match path.as_os_str() == "-" {
        true => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
        }
        false => std::fs::read(path),
    };
    let bytes = bytes.map_err(|error| Failure::file("read", path, &error))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::new("invalid_argument", format!("`{}` is not UTF-8", path.display())).hint("save it as UTF-8")
    })?;
    // An editor's byte order mark is no part of the pipeline.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Takes a file's text apart.
pub fn unwrap(path: &Path, text: &str) -> Result<DeployFile, Failure> {
    unwrap_file(text).map_err(|problems| Failure::problems(&format!("`{}`", path.display()), problems))
}

/// Reads a file for a deploy; options override the file.
pub fn prepare(path: &Path, given: &Settings) -> Result<PreparedPipeline, Failure> {
    let file = unwrap(path, &read_text(path)?)?;
    if let Some(environment) = file.environment.as_deref().filter(|name| *name != "production") {
        return Err(Failure::argument(
            format!("`{}` names the environment `{environment}`; `deploy` deploys to `production`", path.display()),
            "take `environment` out of the file",
        ));
    }
    let own = Settings { schedule: file.schedule, timezone: file.timezone, ..options(path, file.options)? };
    let settings = given.clone().over(own);
    settings.check().map_err(|failure| failure.of_file(path))?;
    let refused = |error| Failure::new("invalid_argument", format!("`{}` is not JSON: {error}", path.display()));
    let pipeline = RawValue::from_string(file.pipeline_text).map_err(refused)?;
    Ok(PreparedPipeline { file: path.to_owned(), project: project_of(&pipeline), pipeline, settings })
}

fn options(path: &Path, options: serde_json::Map<String, Value>) -> Result<Settings, Failure> {
    serde_json::from_value(Value::Object(options))
        .map_err(|error| Failure::new("invalid_argument", format!("`{}` cannot be read: {error}", path.display())))
}

fn project_of(pipeline: &RawValue) -> String {
    #[derive(Deserialize)]
    struct ProjectOf {
        project_id: String,
    }
    serde_json::from_str::<ProjectOf>(pipeline.get()).map(|named| named.project_id).unwrap_or_default()
}

/// The pipelines at a path: the file itself, or every `*.pipe` and `*.json` below the folder that holds one.
pub fn pipelines_at(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    collect(path, &mut found)?;
    found.retain(|file| holds_pipeline(file));
    found.sort();
    Ok(found)
}

/// Hidden folders and links to folders are left alone.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::file("read the folder", folder, &error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        match entry.file_type().map_err(failed)?.is_dir() {
            true => collect(&path, found)?,
            false if path.extension().is_some_and(|end| end == "pipe" || end == "json") => found.push(path),
            false => {}
        }
    }
    Ok(())
}

/// A `.pipe` is a pipeline, sound or not; a `.json` is one if it looks like one.
fn holds_pipeline(file: &Path) -> bool {
    if file.extension().is_some_and(|end| end == "pipe") {
        return true;
    }
    let is_small = std::fs::metadata(file).is_ok_and(|metadata| metadata.len() <= FILE_BYTES as u64);
    let is_pipeline = is_small && read_text(file).is_ok_and(|text| looks_like_pipeline(&text));
    if !is_pipeline {
        tracing::debug!(file = %file.display(), "a JSON file without a pipeline is skipped");
    }
    is_pipeline
}

fn looks_like_pipeline(text: &str) -> bool {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => {
            fields.get("components").is_some_and(Value::is_array)
                || fields.get("pipeline").is_some_and(Value::is_object)
        }
        _ => false,
    }
}
