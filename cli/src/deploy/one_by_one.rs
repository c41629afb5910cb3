//! Deploys pipelines one by one, without a rollout, as `tidemill dev --deploy` does: adds each deployment, or updates the
//! existing one. A refusal does not stop the others.

use crate::api::client::{Client, Path};
use crate::api::views::{Deployment, Detail};
use crate::deploy::files::{PreparedPipeline, prepare};
use crate::deploy::settings::Settings;
use crate::failure::Failure;
use crate::output::table::plain;
use crate::output::times::relative;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::path::PathBuf;

/// Deploys that are under way at once.
const AT_ONCE: usize = 8;

/// The body of an add or an update. The pipeline travels as it stands in its file, to the byte.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<&'a RawValue>,
    #[serde(flatten)]
    settings: &'a Settings,
}

pub fn body(pipeline: Option<&RawValue>, settings: &Settings) -> String {
    serde_json::to_string(&Body { pipeline, settings }).expect("texts and numbers are JSON")
}

/// The change that a deploy made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Added,
    Updated,
    Unchanged,
}

impl Change {
    pub fn word(self) -> &'static str {
        match self {
            Change::Added => "deployed",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
        }
    }
}

/// A deployment that is live.
pub struct DeployOutcome {
    /// What the plane does not know of the file.
    pub notes: Vec<Detail>,
    pub change: Change,
    pub deployment: Deployment,
}

impl DeployOutcome {
    fn new(change: Change, deployment: Deployment) -> DeployOutcome {
        DeployOutcome { notes: Vec::new(), change, deployment }
    }
}

/// Deploys files, several at once; the outcomes come in the files' order. With `strict` a pipeline with warnings is refused.
pub fn deploy_all<'a>(
    client: &'a Client,
    files: &'a [PathBuf],
    strict: bool,
) -> impl futures::Stream<Item = Result<DeployOutcome, Failure>> + Unpin {
    let deploy = move |file: &'a PathBuf| async move {
        let wanted = prepare(file, &Settings::default())?;
        let report = wanted.check();
        if !report.may_be_known_elsewhere && !report.errors.is_empty() {
            return Err(Failure::details(&format!("`{}`", file.display()), report.errors));
        }
        let mut warnings = report.warnings;
        if strict && warnings.is_empty() {
            warnings = warnings_of_plane(client, &wanted).await.map_err(|failure| failure.of_file(file))?;
        }
        if strict && !warnings.is_empty() {
            let message = format!("`{}` has warnings, which `--strict` refuses", file.display());
            return Err(Failure { details: warnings, ..Failure::new("invalid_argument", message) });
        }
        let mut outcome = deploy(client, &wanted).await.map_err(|failure| wanted.refused(failure).of_file(file))?;
        let warnings = std::mem::take(&mut outcome.deployment.warnings);
        outcome.deployment.warnings = warnings.into_iter().map(|warning| wanted.named(warning)).collect();
        Ok(DeployOutcome { notes: wanted.derived().into_iter().collect(), ..outcome })
    };
    Box::pin(futures::stream::iter(files).map(deploy).buffered(AT_ONCE))
}

/// What the plane warns of: it knows which secrets are set.
async fn warnings_of_plane(client: &Client, wanted: &PreparedPipeline) -> Result<Vec<Detail>, Failure> {
    #[derive(Serialize)]
    struct Validation<'a> {
        pipeline: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        schedule: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        timezone: Option<&'a str>,
    }
    #[derive(Deserialize)]
    struct Answer {
        warnings: Vec<Detail>,
    }
    let Settings { schedule, timezone, .. } = &wanted.settings;
    let sent = Validation { pipeline: &wanted.pipeline, schedule: schedule.as_deref(), timezone: timezone.as_deref() };
    let sent = serde_json::to_string(&sent).expect("texts are JSON");
    let answer: Answer = client.post(&Path::new(&["validate"]), Some(sent)).await?.read()?;
    Ok(answer.warnings.into_iter().map(|warning| wanted.named(warning)).collect())
}

/// Adds the deployment; where there is one already, updates it to what is wanted.
async fn deploy(client: &Client, wanted: &PreparedPipeline) -> Result<DeployOutcome, Failure> {
    let added = client.post(&Path::new(&["deployments"]), Some(body(Some(&wanted.pipeline), &wanted.settings))).await;
    match added {
        Ok(answer) => Ok(DeployOutcome::new(Change::Added, answer.read()?)),
        Err(failure) if failure.code == "already_exists" => bring_up_to_date(client, wanted).await,
        Err(failure) => Err(failure),
    }
}

async fn bring_up_to_date(client: &Client, wanted: &PreparedPipeline) -> Result<DeployOutcome, Failure> {
    let path = Path::new(&["deployments", &wanted.project]);
    let found = client.get(&path).await?;
    let deployment: Deployment = found.read()?;
    let is_same = deployment
        .pipeline_text
        .as_ref()
        .or(deployment.pipeline.as_ref())
        .is_some_and(|pipeline| pipeline.get() == wanted.pipeline.get());
    if is_same && wanted.settings.hold_of(&deployment) {
        return Ok(DeployOutcome::new(Change::Unchanged, deployment));
    }
    let answer = client.patch(&path, body(Some(&wanted.pipeline), &wanted.settings)).await?;
    Ok(DeployOutcome::new(Change::Updated, answer.read()?))
}

/// The outcome of a deploy, for a person.
pub fn sentence(deployed: &DeployOutcome) -> String {
    let project = plain(&deployed.deployment.project);
    format!("{} `{project}`: {}", deployed.change.word(), summary(&deployed.deployment))
}

/// Version, schedule and next run in a line.
pub fn summary(deployment: &Deployment) -> String {
    let due = match deployment.schedule.as_str() {
        "manual" => "runs when it is called".to_owned(),
        schedule => format!("`{schedule}` {}", deployment.timezone),
    };
    let next = match (deployment.state.as_str(), deployment.next.first()) {
        ("active", Some(next)) => format!(", next {}", relative(*next, crate::output::times::now())),
        ("active", None) => String::new(),
        (state, _) => format!(", {state}"),
    };
    format!("version {}, {due}{next}", deployment.version)
}
