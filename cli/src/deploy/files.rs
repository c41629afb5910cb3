//! Pipelines on disk: which files of a folder hold one, and what a file says about its deployment.

use crate::api::views::Detail;
use crate::deploy::position::{end_of_json, position};
use crate::deploy::settings::Settings;
use crate::failure::Failure;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use tidemill_model::ids::ProjectId;
use tidemill_model::pipeline::limits::FILE_BYTES;
use tidemill_model::pipeline::{DeployFile, Problem, ProblemCode, members, unwrap_file};
use tidemill_plan::{Start, Target};

/// A file that is ready to be deployed.
pub struct PreparedPipeline {
    /// As it was named on the command line, or found in a folder that was.
    pub file: PathBuf,
    /// The text is the file's, to the byte, unless the file left the project out.
    pub pipeline: Box<RawValue>,
    /// The pipeline's `project_id`; empty if it has none, which the plane then refuses.
    pub project: String,
    pub settings: Settings,
    text: FileText,
}

impl PreparedPipeline {
    /// Compiles the pipeline as far as it can be done here.
    pub fn check(&self) -> Report {
        match self.settings.schedule.as_deref() {
            Some(schedule) if schedule != "manual" => self.check_scheduled(),
            _ => self.check_started_by(Start::Call),
        }
    }

    /// The same for a deployment that keeps the schedule it has.
    pub fn check_scheduled(&self) -> Report {
        self.check_started_by(Start::Schedule)
    }

    fn check_started_by(&self, start: Start) -> Report {
        self.text.check(self.pipeline.get(), &Target { local: true, start, ..Target::default() })
    }

    /// Names the file and the place in what is said about its pipeline.
    pub fn named(&self, detail: Detail) -> Detail {
        self.text.named(detail)
    }

    /// Names the file and the places in what the plane refuses of its pipeline.
    pub fn refused(&self, failure: Failure) -> Failure {
        self.text.refused(failure)
    }

    /// A warning, if the file left the project out.
    pub fn derived(&self) -> Option<Detail> {
        self.text.derived()
    }

    /// Lets runs start at a component, whatever the pipeline says.
    pub fn start_at(&mut self, source: &str) {
        let source = serde_json::to_string(source).expect("a text is JSON");
        if let Some(changed) = members::set_member(&self.pipeline, "source", &source) {
            self.pipeline = changed;
        }
    }
}

/// What compiling here says.
#[derive(Default)]
pub struct Report {
    pub errors: Vec<Detail>,
    pub warnings: Vec<Detail>,
    /// The components that would run, in their order.
    pub order: Vec<String>,
    /// A timer starts it, and no schedule does.
    pub has_idle_timer: bool,
    /// Every error is a name that a plane of another version may know.
    pub may_be_known_elsewhere: bool,
}

/// A file's text, to say where in it something stands.
pub struct FileText {
    file: PathBuf,
    text: String,
    /// The pointer to the pipeline in it.
    pipeline_at: &'static str,
    /// A warning, if the pipeline has no project and got one.
    derived: Option<Detail>,
}

impl FileText {
    /// Takes a file's text apart; a pipeline without a project gets the file's base name.
    pub fn of(path: &Path, text: String) -> Result<(FileText, DeployFile), Vec<Detail>> {
        let is_wrapped = serde_json::from_str::<Wrapper>(&text).is_ok_and(|wrapper| wrapper.pipeline.is_some());
        let pipeline_at = if is_wrapped { "/pipeline" } else { "" };
        let mut known = FileText { file: path.to_owned(), text, pipeline_at, derived: None };
        let mut file = match unwrap_file(&known.text) {
            Ok(file) => file,
            Err(problems) => {
                let outer = FileText { pipeline_at: "", ..known };
                return Err(problems.into_iter().map(|problem| outer.named(problem.into())).collect());
            }
        };
        if let Some((text, project)) = with_project(path, &file.pipeline_text) {
            let message = format!("pipeline has no `project_id`; its project is called `{project}`, as its file is");
            let hint =
                format!("add `\"project_id\": \"{project}\"`, so that it stays the same when the file is renamed");
            file.pipeline_text = text;
            known.derived = Some(known.named(Detail { hint: Some(hint), ..Detail::of(message) }));
        }
        Ok((known, file))
    }

    /// A warning, if the pipeline has no project and got one.
    pub fn derived(&self) -> Option<Detail> {
        self.derived.clone()
    }

    /// Names the file and the places in what the plane refuses of its pipeline.
    pub fn refused(&self, mut failure: Failure) -> Failure {
        for detail in &mut failure.details {
            *detail = self.named(detail.clone());
        }
        failure
    }

    /// Compiles a pipeline of the file.
    pub fn check(&self, pipeline: &str, target: &Target) -> Report {
        let named = |problems: Vec<Problem>| problems.into_iter().map(|problem| self.named(problem.into())).collect();
        match tidemill_plan::compile_text(pipeline, tidemill_engine::catalogue(), target) {
            Ok((_, compiled)) => {
                let is_idle = |warning: &Problem| warning.code == ProblemCode::TimerWithoutSchedule;
                let has_idle_timer = compiled.warnings.iter().any(is_idle);
                let mut warnings: Vec<Detail> = named(compiled.warnings);
                warnings.splice(..0, self.derived.clone());
                let order = compiled.plan.nodes.into_iter().map(|node| node.id).collect();
                Report { warnings, order, has_idle_timer, ..Report::default() }
            }
            Err(problems) => {
                let is_of_a_version = |problem: &Problem| problem.code == ProblemCode::UnknownProvider;
                let may_be_known_elsewhere = problems.iter().all(is_of_a_version);
                Report { errors: named(problems), may_be_known_elsewhere, ..Report::default() }
            }
        }
    }

    /// Names the file and the place in what is said about it.
    pub fn named(&self, detail: Detail) -> Detail {
        let pointer = detail.field.as_deref().filter(|field| field.starts_with('/'));
        let found = match pointer {
            Some(pointer) => position(&self.text, &format!("{}{pointer}", self.pipeline_at)),
            None => end_of_json(&self.text),
        };
        let (line, column) = (found.map(|found| found.line), found.map(|found| found.column));
        Detail { file: Some(self.file.display().to_string()), line, column, ..detail }
    }
}

#[derive(Deserialize)]
struct Wrapper<'a> {
    #[serde(borrow)]
    pipeline: Option<&'a RawValue>,
}

/// The pipeline with the file's base name as its project, if it is an object without one.
fn with_project(path: &Path, pipeline: &str) -> Option<(String, String)> {
    let pipeline: &RawValue = serde_json::from_str(pipeline).ok()?;
    if members::member(pipeline, "project_id").is_some_and(|id| id != "null") {
        return None;
    }
    let project = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| *stem != "-")?;
    let project = ProjectId::parse(project).ok()?.to_string();
    let quoted = serde_json::to_string(&project).expect("a text is JSON");
    Some((members::set_member(pipeline, "project_id", &quoted)?.get().to_owned(), project))
}

/// Reads a file, or standard input for `-`.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = match path.as_os_str() == "-" {
        true => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
        }
        false => regular(path).and_then(|()| std::fs::read(path)),
    };
    let bytes = bytes.map_err(|error| Failure::file("read", path, &error))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::new("invalid_argument", format!("`{}` is not UTF-8", path.display())).hint("save it as UTF-8")
    })?;
    // An editor's byte order mark is no part of the pipeline.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Refuses what is no file: reading a pipe would wait for its other end. The shell hands pipes over under `/dev`.
fn regular(path: &Path) -> std::io::Result<()> {
    let metadata = std::fs::metadata(path)?;
    match metadata.is_file() || metadata.is_dir() || path.starts_with("/dev") {
        true => Ok(()),
        false => Err(std::io::Error::other("it is not a regular file")),
    }
}

/// Reads a file for a deploy; options override the file.
pub fn prepare(path: &Path, given: &Settings) -> Result<PreparedPipeline, Failure> {
    let refused = |details: Vec<Detail>| match details.as_slice() {
        [only] => Failure { message: only.message.clone(), ..Failure::details("the file", details) },
        _ => Failure::details(&format!("`{}`", path.display()), details),
    };
    let (text, file) = FileText::of(path, read_text(path)?).map_err(refused)?;
    if let Some(environment) = file.environment.as_deref().filter(|name| *name != "production") {
        let message =
            format!("`{}` names the environment `{environment}`; `deploy` deploys to `production`", path.display());
        return Err(Failure::new("invalid_argument", message).hint("take `environment` out of the file"));
    }
    let own = Settings { schedule: file.schedule, timezone: file.timezone, ..options(path, file.options)? };
    let settings = given.clone().over(own);
    settings.check().map_err(|failure| failure.of_file(path))?;
    let refused = |error| Failure::new("invalid_argument", format!("`{}` is not JSON: {error}", path.display()));
    let pipeline = RawValue::from_string(file.pipeline_text).map_err(refused)?;
    Ok(PreparedPipeline { file: path.to_owned(), project: project_of(&pipeline), pipeline, settings, text })
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
            false if !path.extension().is_some_and(|end| end == "pipe" || end == "json") => {}
            false if std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) => {
                tracing::debug!(file = %path.display(), "what is no regular file is skipped");
            }
            false => found.push(path),
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
