//! `tidemill deploy`: puts pipelines live, by a rollout.

use crate::api::client::{Client, Path};
use crate::api::pages::{List, PAGE_LIMIT};
use crate::api::views::{Deployment, Detail, Version};
use crate::completion::names;
use crate::deploy::files::{PreparedPipeline, Report};
use crate::deploy::one_by_one::summary;
use crate::deploy::settings::{LOST_NOTE, Settings};
use crate::failure::{Exit, Failure};
use crate::output::asking::consent;
use crate::rollouts::begin::Request;
use crate::rollouts::carry::{Pace, Reporter, carry};
use crate::rollouts::input::{Paths, RolloutInput, by_file};
use crate::rollouts::missing::{MissingMembers, Settlement};
use crate::rollouts::views::{Resource, Rollout};
use crate::rollouts::{git, preview, shown};
use crate::session::Session;
use reqwest::Method;
use serde::Deserialize;
use std::collections::HashSet;
use std::path::PathBuf;
use tidemill_model::rollout::Gone;

/// Warnings that are shown; the others are counted.
const WARNINGS: usize = 20;

/// How many updates of a rollout are checked for a new version.
const CHECKED_UPDATES: usize = 10;

/// Put a pipeline live, or every pipeline of a folder
///
/// A new project is added. A deployed one gets the pipeline as a new version, if it differs, and the settings given. The
/// file is a pipeline, or `{"pipeline": {…}, "schedule": "*/5 * * * *", …}`; options override the file. The pipeline is
/// stored byte for byte.
///
/// Deploying starts a rollout, which continues on the plane even if you interrupt this command. If a pipeline cannot run,
/// nothing changes. A group has one rollout at a time; later ones wait. A single file is rolled out by itself. A folder
/// is a whole group, named after the folder or by --group: --prune removes the deployments whose files are gone, --keep
/// takes them out of the group. Several files or folders are part of the group of the folder that contains them all.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill deploy digest.pipe --schedule '*/5 * * * *' --note 'first try'
  tidemill deploy pipelines/ --preview
  tidemill deploy pipelines/ --prune --yes
  tidemill deploy pipelines/ --group nightly --cancel-in-progress --json")]
pub struct Args {
    /// A file, a folder of them, or `-` for standard input; JSON, JSON with comments (`*.jsonc`) or YAML
    #[arg(value_name = "FILE_OR_FOLDER", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Fail if a project is deployed already
    #[arg(long)]
    create_only: bool,
    /// Start new deployments that have a schedule paused
    #[arg(long)]
    paused: bool,
    /// The group that the pipelines belong to [default: the folder's name]
    #[arg(long, value_name = "NAME", add = names::groups())]
    group: Option<String>,
    /// Remove the deployments whose files are gone from the folder; on a terminal it asks first, and a script needs
    /// --yes if no pipeline of the folder is in the group yet
    #[arg(long, conflicts_with = "keep")]
    prune: bool,
    /// Keep the deployments whose files are gone from the folder, but take them out of the group
    #[arg(long)]
    keep: bool,
    /// Remove without asking
    #[arg(long, short)]
    yes: bool,
    /// Show what would change in graphs and schedules, without changing it
    #[arg(long)]
    preview: bool,
    /// Start at this component, instead of the pipeline's own source; it is stored with the pipeline
    /// [default: the pipeline's own]
    #[arg(long, value_name = "COMPONENT")]
    source: Option<String>,
    /// Refuse pipelines with warnings, too
    #[arg(long)]
    strict: bool,
    /// Do not store commit, branch and pull request with the versions
    #[arg(long)]
    no_git: bool,
    #[command(flatten)]
    pace: Pace,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    args.settings.check_given()?;
    let client = session.client()?;
    let named = Paths::new(args.paths.clone());
    let gone = gone(&args, &named)?;
    let mut prepared = named.prepared(session, &args.settings)?;
    if let Some(source) = &args.source {
        prepared.iter_mut().for_each(|one| one.start_at(source));
    }
    check(session, &client, &prepared, args.strict).await?;
    let wanted = RolloutInput {
        group: named.group(args.group.as_deref())?,
        pipelines: prepared.iter().map(Into::into).collect(),
        gone,
        partial: !named.is_folder(),
        create_only: args.create_only,
        paused: args.paused,
        git: if args.no_git { None } else { git::at(&named.home()) },
    };
    let deploy = Deploy { session, client: &client, args: &args, named: &named, prepared: &prepared, wanted: &wanted };
    let done = async {
        if args.strict {
            preview::check_strictly(&client, &wanted, &prepared).await?;
        }
        if args.preview { deploy.preview().await } else { deploy.roll_out().await }
    };
    done.await.map_err(|failure| by_file(failure, &prepared))
}

struct Deploy<'a> {
    session: &'a Session,
    client: &'a Client,
    args: &'a Args,
    named: &'a Paths,
    prepared: &'a [PreparedPipeline],
    wanted: &'a RolloutInput<'a>,
}

impl Deploy<'_> {
    async fn preview(&self) -> Result<Exit, Failure> {
        let shown = preview::show(self.session, self.client, self.wanted, self.prepared).await;
        if self.wanted.gone == Gone::Leave
            && let Some(left) = self.missing().await?.and_then(|missing| missing.left())
        {
            self.session.output.note(left);
        }
        shown
    }

    async fn roll_out(&self) -> Result<Exit, Failure> {
        let Deploy { session, client, args, wanted, .. } = self;
        if args.create_only {
            preview::check(client, wanted).await?;
        }
        if !self.settle_what_is_gone().await? {
            session.output.note("nothing changed");
            return Ok(Exit::Failed);
        }
        let path = Path::new(&["rollouts"]);
        let (method, body) = (Method::POST, Some(wanted.body()));
        let request = Request { method, path, body, group: self.group(), prepared: self.prepared };
        let rollout = match self.named {
            Paths::File(_) => single(session, client, &request, &args.pace).await,
            _ => carry(session, client, &request, &args.pace, Reporter::Here).await,
        }?;
        if let Some(rollout) = rollout.filter(|_| args.settings.note.is_some() && !session.output.is_json()) {
            self.report_a_lost_note(&rollout).await;
        }
        Ok(Exit::Done)
    }

    /// Says so if no new version keeps the note. Of many updates only the first are checked, and then nothing is said.
    async fn report_a_lost_note(&self, rollout: &Rollout) {
        let mut updated = Vec::new();
        for resource in shown::resources(&rollout.items) {
            match resource.action.as_deref() {
                Some("create") => return,
                Some("update") => updated.push(resource),
                _ => {}
            }
        }
        for resource in updated.iter().take(CHECKED_UPDATES) {
            if made_a_version(self.client, rollout, resource).await {
                return;
            }
        }
        if updated.len() <= CHECKED_UPDATES {
            self.session.output.note(LOST_NOTE);
        }
    }

    /// The group's name, as the plane takes it.
    fn group(&self) -> String {
        match (&self.wanted.group, self.prepared) {
            (Some(group), _) => group.to_string(),
            (None, prepared) => prepared.first().map(|only| only.project.clone()).unwrap_or_default(),
        }
    }

    /// Which members of the group are not in the folder, if it is one.
    async fn missing(&self) -> Result<Option<MissingMembers>, Failure> {
        match &self.wanted.group {
            Some(group) if self.named.is_folder() => {
                MissingMembers::of(self.client, group.as_str(), self.prepared).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Reports the members of the group that are not in the folder; `false` if the person declines to remove them.
    async fn settle_what_is_gone(&self) -> Result<bool, Failure> {
        let Some(missing) = self.missing().await? else { return Ok(true) };
        match missing.settle(self.wanted.gone, consent(self.session, self.args.yes))? {
            Settlement::Go(note) => {
                note.into_iter().for_each(|note| self.session.output.note(note));
                Ok(true)
            }
            Settlement::Stop => Ok(false),
        }
    }
}

/// Compiles every pipeline before anything is sent, and reports what is wrong with all of them at once.
async fn check(session: &Session, client: &Client, prepared: &[PreparedPipeline], strict: bool) -> Result<(), Failure> {
    let mut reports: Vec<Report> = prepared.iter().map(PreparedPipeline::check).collect();
    let is_idle = |one: &PreparedPipeline, report: &Report| one.settings.schedule.is_none() && report.has_idle_timer;
    if prepared.iter().zip(&reports).any(|(one, report)| is_idle(one, report)) {
        let scheduled = scheduled(client).await?;
        for (one, report) in prepared.iter().zip(&mut reports) {
            if is_idle(one, report) && scheduled.contains(&one.project) {
                *report = one.check_scheduled();
            }
        }
    }
    // What only another version may know is for the plane to say.
    let is_certain = reports.iter().any(|report| !report.errors.is_empty() && !report.may_be_known_elsewhere);
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for mut report in reports {
        errors.append(&mut report.errors);
        warnings.append(&mut report.warnings);
    }
    let refused = match (is_certain, strict && !warnings.is_empty()) {
        (true, _) => Failure::details("the deploy", errors),
        (_, true) => preview::strictly(std::mem::take(&mut warnings)),
        _ => {
            show(session, &warnings);
            return Ok(());
        }
    };
    show(session, &warnings);
    Err(refused.hint("nothing changed"))
}

fn show(session: &Session, warnings: &[Detail]) {
    session.output.warnings(&warnings[..warnings.len().min(WARNINGS)]);
    if warnings.len() > WARNINGS {
        let more = warnings.len() - WARNINGS;
        session.output.note(format_args!("and {more} more warnings; `tidemill validate` shows all of them"));
    }
}

/// The projects that are deployed with a schedule, which they keep if their file names none.
async fn scheduled(client: &Client) -> Result<HashSet<String>, Failure> {
    let (mut scheduled, mut cursor) = (HashSet::new(), None);
    loop {
        let path = Path::new(&["deployments"]).with_some("limit", Some(PAGE_LIMIT)).with_some("cursor", cursor);
        let page: List = client.get(&path).await?.read()?;
        for item in &page.items {
            let deployment: ScheduledProject = serde_json::from_str(item.get())
                .map_err(|error| Failure::new("internal", format!("the plane's list cannot be read: {error}")))?;
            if deployment.schedule != "manual" {
                scheduled.insert(deployment.project);
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(scheduled);
        }
    }
}

#[derive(Deserialize)]
struct ScheduledProject {
    project: String,
    schedule: String,
}

fn gone(args: &Args, named: &Paths) -> Result<Gone, Failure> {
    match (args.prune, args.keep) {
        (false, false) => Ok(Gone::Leave),
        _ if !named.is_folder() => {
            let message = "`--prune` and `--keep` need a single folder, which is a whole group";
            Err(Failure::argument(message, "name the folder, or leave the option out"))
        }
        (true, _) => Ok(Gone::Prune),
        (_, true) => Ok(Gone::Keep),
    }
}

/// Reports a single pipeline with its schedule.
async fn single(
    session: &Session,
    client: &Client,
    request: &Request<'_>,
    pace: &Pace,
) -> Result<Option<Rollout>, Failure> {
    let Some(rollout) = carry(session, client, request, pace, Reporter::Caller).await? else { return Ok(None) };
    if session.output.is_json() {
        return Ok(Some(rollout));
    }
    for resource in shown::resources(&rollout.items) {
        let more = more(client, &resource).await;
        let line = shown::resource(&resource);
        match more {
            Some(more) => session.output.line(format_args!("{}: {more}", line.split(": ").next().unwrap_or(&line))),
            None => session.output.line(line),
        }
    }
    Ok(Some(rollout))
}

/// Whether a rollout made the version that a resource has now.
async fn made_a_version(client: &Client, rollout: &Rollout, resource: &Resource) -> bool {
    let number = resource.version.unwrap_or_default().to_string();
    let answer = client.get(&Path::new(&["deployments", &resource.project, "versions", &number])).await;
    // A note is worth no failure.
    let version = answer.and_then(|answer| answer.read::<Version>());
    version.is_ok_and(|version| version.rollout.as_ref() == Some(&rollout.id))
}

/// When a deployment runs; `None` if the plane does not answer, which is no failure of the deploy.
async fn more(client: &Client, resource: &Resource) -> Option<String> {
    let answer = client.get(&Path::new(&["deployments", &resource.project])).await.ok()?;
    answer.read::<Deployment>().ok().map(|deployment| summary(&deployment))
}
