//! `tidemill validate`: compiles a pipeline here, without a plane.

use crate::api::views::Detail;
use crate::deploy::files::{FileText, Outer, pipelines_at, read_text};
use crate::deploy::settings::Settings;
use crate::failure::{Exit, Failure};
use crate::output::detail_text;
use crate::rollouts::input::Paths;
use crate::session::Session;
use owo_colors::OwoColorize;
use serde::Serialize;
use std::path::{Path, PathBuf};
use tidemill_model::schedule::{ParseError, Schedule, Zone};
use tidemill_plan::{Start, Target};

/// Compile pipelines without deploying them, and report all problems at once
///
/// It needs no plane. In a folder it checks the files that `deploy` would take. Exits with 1 if it refuses a pipeline.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill validate digest.pipe --schedule '*/5 * * * *'
  tidemill validate pipelines/
  cat digest.pipe | tidemill validate - --json")]
pub struct Args {
    /// A pipeline or a deploy file, a folder of them, or `-` for standard input
    #[arg(value_name = "FILE_OR_FOLDER")]
    path: PathBuf,
    /// Check the pipeline with this schedule [default: the file's]
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<String>,
    /// The IANA time zone of the schedule [default: the file's]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Refuse providers that work only in a plane on this machine
    #[arg(long)]
    cloud: bool,
    /// Start at this component, instead of the pipeline's own source [default: the pipeline's own]
    #[arg(long, value_name = "COMPONENT")]
    source: Option<String>,
    /// Refuse a pipeline with warnings, too
    #[arg(long)]
    strict: bool,
}

/// In the form of the API's answer.
#[derive(Serialize)]
struct Report {
    valid: bool,
    errors: Vec<Detail>,
    warnings: Vec<Detail>,
    /// The components that would run, in their order.
    order: Vec<String>,
}

pub fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    if args.path.is_dir() {
        return folder(session, args);
    }
    let report = report(&args.path, &args)?;
    match session.output.is_json() {
        true => session.output.json(&report),
        false => show(session, &args.path, &report),
    }
    Ok(if report.valid { Exit::Done } else { Exit::Failed })
}

/// The report on a folder.
#[derive(Serialize)]
struct Folder {
    valid: bool,
    files: Vec<OfFile>,
}

#[derive(Serialize)]
struct OfFile {
    file: PathBuf,
    #[serde(flatten)]
    report: Report,
}

fn folder(session: &Session, args: Args) -> Result<Exit, Failure> {
    let mut files = Vec::new();
    for file in pipelines_at(&args.path)? {
        files.push(OfFile { report: report(&file, &args)?, file });
    }
    let folder = Folder { valid: files.iter().all(|one| one.report.valid), files };
    if folder.valid {
        // Problems of the files together, or of their settings.
        Paths::new(vec![args.path]).prepared(session, &Settings::default())?;
    }
    match session.output.is_json() {
        true => session.output.json(&folder),
        false => folder.files.iter().for_each(|one| show(session, &one.file, &one.report)),
    }
    Ok(if folder.valid { Exit::Done } else { Exit::Failed })
}

fn report(path: &Path, args: &Args) -> Result<Report, Failure> {
    let (text, Outer { file, .. }) = match FileText::of(path, read_text(path)?) {
        Ok(file) => file,
        Err(errors) => return Ok(Report { valid: false, errors, warnings: Vec::new(), order: Vec::new() }),
    };
    let schedule = args.schedule.as_ref().or(file.schedule.as_ref()).map_or("manual", String::as_str);
    let zone = args.timezone.as_ref().or(file.timezone.as_ref()).map_or("UTC", String::as_str);
    let schedule = parse(schedule, zone);
    let start = match schedule.as_ref().is_ok_and(|schedule| !schedule.is_manual()) {
        true => Start::Schedule,
        false => Start::Call,
    };
    let target = Target { local: !args.cloud, readable: None, private: None, start, source: args.source.as_deref() };
    let checked = text.check(&target);
    let errors: Vec<Detail> =
        schedule.err().map(|error| text.named(*error)).into_iter().chain(checked.errors).collect();
    let valid = errors.is_empty() && (!args.strict || checked.warnings.is_empty());
    Ok(Report { valid, errors, warnings: checked.warnings, order: checked.order })
}

fn parse(schedule: &str, zone: &str) -> Result<Schedule, Box<Detail>> {
    let detail = |field: &str, error: ParseError| {
        let (field, hint) = (Some(field.to_owned()), Some(error.hint()));
        Box::new(Detail { field, hint, ..Detail::of(error.to_string()) })
    };
    let schedule = Schedule::parse(schedule).map_err(|error| detail("schedule", error))?;
    let zone = Zone::parse(zone).map_err(|error| detail("timezone", error))?;
    schedule.in_zone(zone).map_err(|error| detail("schedule", error))
}

fn show(session: &Session, path: &Path, report: &Report) {
    let name = path.display();
    for error in &report.errors {
        session.output.line(format_args!("{} {}", "error:".red().bold(), detail_text(error)));
    }
    for warning in &report.warnings {
        session.output.line(format_args!("{} {}", "warning:".yellow().bold(), detail_text(warning)));
    }
    match (report.valid, report.errors.len()) {
        (true, _) => session.output.line(format_args!("`{name}` is valid: {}", report.order.join(" → "))),
        (false, 0) => session.output.line(format_args!("`{name}` has warnings, which `--strict` refuses")),
        (false, 1) => session.output.line(format_args!("`{name}` has a problem")),
        (false, count) => session.output.line(format_args!("`{name}` has {count} problems")),
    }
}
