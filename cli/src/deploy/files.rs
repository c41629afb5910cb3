//! Pipelines on disk: which files of a folder hold one, and what a file says about its deployment.

use crate::api::views::Detail;
use crate::deploy::position::{byte, end_of_json, position};
use crate::deploy::settings::Settings;
use crate::failure::Failure;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use tidemill_model::ids::ProjectId;
use tidemill_model::pipeline::formats::{Converted, Format, Position};
use tidemill_model::pipeline::limits::FILE_BYTES;
use tidemill_model::pipeline::written::{IN_DEPLOY_FILE, WrittenPipeline};
use tidemill_model::pipeline::{DeployFile, Problem, ProblemCode, members, unwrap_file};
use tidemill_plan::{Start, Target};

/// A file that is ready to be deployed.
pub struct PreparedPipeline {
    /// As it was named on the command line, or found in a folder that was.
    pub file: PathBuf,
    /// The text is the file's, to the byte, unless the file left the project out. Text that is not JSON travels in a
    /// [`WrittenPipeline`].
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
        self.text.check(&Target { local: true, start, ..Target::default() })
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
        for pipeline in [&mut self.pipeline, &mut self.text.pipeline] {
            if let Some(changed) = members::set_member(pipeline, "source", &source) {
                *pipeline = changed;
            }
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
    /// What the text is as JSON, with the places that it came from. JSON is its own.
    json: Converted,
    format: Format,
    /// The pointer to the pipeline in it.
    pipeline_at: &'static str,
    /// The pipeline as JSON, with its project.
    pipeline: Box<RawValue>,
    /// A warning, if the pipeline has no project and got one.
    derived: Option<Detail>,
}

impl FileText {
    /// Takes a file's text apart; a pipeline without a project gets the file's base name.
    pub fn of(path: &Path, text: String) -> Result<(FileText, Outer), Vec<Detail>> {
        let format = Format::of_file(path).unwrap_or_else(|| Format::of_text(&text));
        let file = Some(path.display().to_string());
        let json = format.file_to_json(&text).map_err(|unreadable| {
            let position = unreadable.position.or_else(|| end_of_json(&text));
            let (line, column) = (position.map(|at| at.line), position.map(|at| at.column));
            let mut detail = Detail { file, line, column, ..unreadable.problem.into() };
            if format == Format::Json && Format::Jsonc.file_to_json(&text).is_ok() {
                let hint = "JSON has no comments and no trailing commas; call the file `*.jsonc`, which has";
                detail.hint = Some(hint.to_owned());
            }
            vec![detail]
        })?;
        let is_wrapped = serde_json::from_str::<Wrapper>(&json.json).is_ok_and(|wrapper| wrapper.pipeline.is_some());
        let pipeline_at = if is_wrapped { IN_DEPLOY_FILE } else { "" };
        let nothing = RawValue::from_string("null".to_owned()).expect("`null` is JSON");
        let mut known = FileText { file: path.to_owned(), json, format, pipeline_at, pipeline: nothing, derived: None };
        let mut file = match unwrap_file(&known.json.json) {
            Ok(file) => file,
            Err(problems) => {
                let outer = FileText { pipeline_at: "", ..known };
                return Err(problems.into_iter().map(|problem| outer.named(problem.into())).collect());
            }
        };
        let project = with_project(path, &file.pipeline_text);
        if let Some((text, project)) = &project {
            let message = format!("pipeline has no `project_id`; its project is called `{project}`, as its file is");
            let line = match format {
                Format::Yaml => format!("project_id: {project}"),
                Format::Json | Format::Jsonc => format!("\"project_id\": \"{project}\""),
            };
            let hint = format!("add `{line}`, so that it stays the same when the file is renamed");
            file.pipeline_text.clone_from(text);
            known.derived = Some(known.named(Detail { hint: Some(hint), ..Detail::of(message) }));
        }
        known.pipeline = RawValue::from_string(file.pipeline_text.clone()).expect("what was parsed is JSON");
        let sent = match format {
            Format::Json => known.pipeline.clone(),
            format => {
                let written = WrittenPipeline::new(format, text, is_wrapped);
                WrittenPipeline { project_id: project.map(|(_, project)| project), ..written }.to_raw()
            }
        };
        Ok((known, Outer { sent, file }))
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

    /// The file's pipeline as JSON.
    pub fn pipeline(&self) -> &RawValue {
        &self.pipeline
    }

    /// Compiles the file's pipeline.
    pub fn check(&self, target: &Target) -> Report {
        let pipeline = self.pipeline.get();
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
        let found = pointer.and_then(|pointer| self.position(&format!("{}{pointer}", self.pipeline_at)));
        let (line, column) = (found.map(|found| found.line), found.map(|found| found.column));
        Detail { file: Some(self.file.display().to_string()), line, column, ..detail }
    }
}

impl FileText {
    fn position(&self, pointer: &str) -> Option<Position> {
        match self.format {
            Format::Json => position(&self.json.json, pointer),
            Format::Jsonc | Format::Yaml => self.json.origin(byte(&self.json.json, pointer)?),
        }
    }
}

/// What a file holds.
pub struct Outer {
    /// The pipeline as it travels.
    pub sent: Box<RawValue>,
    /// What else there is in the file.
    pub file: DeployFile,
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

/// Reads a file and takes it apart.
pub fn read_file(path: &Path) -> Result<(FileText, Outer), Failure> {
    FileText::of(path, read_text(path)?).map_err(|details| match details.as_slice() {
        [only] => Failure { message: only.message.clone(), ..Failure::details("the file", details) },
        _ => Failure::details(&format!("`{}`", path.display()), details),
    })
}

/// Reads a file for a deploy; options override the file.
pub fn prepare(path: &Path, given: &Settings) -> Result<PreparedPipeline, Failure> {
    let (text, Outer { sent: pipeline, file }) = read_file(path)?;
    if let Some(environment) = file.environment.as_deref().filter(|name| *name != "production") {
        let message =
            format!("`{}` names the environment `{environment}`; `deploy` deploys to `production`", path.display());
        return Err(Failure::new("invalid_argument", message).hint("take `environment` out of the file"));
    }
    let own = Settings { schedule: file.schedule, timezone: file.timezone, ..options(path, file.options)? };
    let settings = given.clone().over(own);
    settings.check().map_err(|failure| failure.of_file(path))?;
    Ok(PreparedPipeline { file: path.to_owned(), project: project_of(&text.pipeline), pipeline, settings, text })
}

fn options(path: &Path, options: serde_json::Map<String, Value>) -> Result<Settings, Failure> {
    serde_json::from_value(Value::Object(options))
        .map_err(|error| Failure::new("invalid_argument", format!("`{}` cannot be read: {error}", path.display())))
}

/// The pipeline's `project_id`; empty if it has none.
pub fn project_of(pipeline: &RawValue) -> String {
    #[derive(Deserialize)]
    struct ProjectOf {
        project_id: String,
    }
    serde_json::from_str::<ProjectOf>(pipeline.get()).map(|named| named.project_id).unwrap_or_default()
}

/// The pipelines at a path: the file itself, or every file below the folder that is called `*.pipe`, or `*.json`, `*.jsonc`,
/// `*.yaml` or `*.yml` and holds one.
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
            false if Format::of_file(&path).is_none() => {}
            false if std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) => {
                tracing::debug!(file = %path.display(), "what is no regular file is skipped");
            }
            false => found.push(path),
        }
    }
    Ok(())
}

/// A `.pipe` is a pipeline, sound or not; another file is one if it looks like one.
fn holds_pipeline(file: &Path) -> bool {
    let Some(format) = Format::of_file(file) else { return false };
    if file.extension().is_some_and(|end| end.eq_ignore_ascii_case("pipe")) {
        return true;
    }
    let is_small = std::fs::metadata(file).is_ok_and(|metadata| metadata.len() <= FILE_BYTES as u64);
    let is_pipeline = is_small && read_text(file).is_ok_and(|text| looks_like_pipeline(format, &text));
    if !is_pipeline {
        tracing::debug!(file = %file.display(), "a file without a pipeline is skipped");
    }
    is_pipeline
}

fn looks_like_pipeline(format: Format, text: &str) -> bool {
    let Ok(converted) = format.file_to_json(text) else {
        // A slip must not make a pipeline invisible. Broken JSON is more often something else.
        return format != Format::Json && text.contains("components") && text.contains("provider");
    };
    match serde_json::from_str::<Value>(&converted.json) {
        Ok(Value::Object(fields)) => {
            fields.get("components").is_some_and(Value::is_array)
                || fields.get("pipeline").is_some_and(Value::is_object)
        }
        _ => false,
    }
}
