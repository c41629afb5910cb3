//! Puts a pipeline live by itself, without a rollout, as a plane does with what it is started with: adds its deployment,
//! or updates the one that is there. What is refused does not keep the others from being deployed.

use crate::client::{Client, Path};
use crate::failure::Failure;
use crate::pipeline_files::{Prepared, prepare};
use crate::table::plain;
use crate::times::relative;
use crate::views::Deployment;
use futures::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::path::{Path as FilePath, PathBuf};

/// Deploys that are under way at once.
const AT_ONCE: usize = 8;

/// What a deployment is told besides its pipeline.
#[derive(clap::Args, Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// When it runs: five cron fields, `@hourly` and the like, or `manual`
    #[arg(long, value_name = "SCHEDULE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The IANA time zone that the schedule means, e.g. `Europe/Madrid`
    #[arg(long, value_name = "ZONE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How late a due run may still start after a downtime; 0 is not at all
    #[arg(long = "catch-up", value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catch_up_seconds: Option<u32>,
    /// How often a run is tried
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// How long a run may take
    #[arg(long = "timeout", value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// Why; kept with the version
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Settings {
    /// These, and where they say nothing, those.
    pub fn over(self, those: Settings) -> Settings {
        Settings {
            schedule: self.schedule.or(those.schedule),
            timezone: self.timezone.or(those.timezone),
            catch_up_seconds: self.catch_up_seconds.or(those.catch_up_seconds),
            max_attempts: self.max_attempts.or(those.max_attempts),
            timeout_seconds: self.timeout_seconds.or(those.timeout_seconds),
            note: self.note.or(those.note),
        }
    }

    /// Whether a deployment is as these say. A note is kept with a new version only.
    fn hold_of(&self, deployment: &Deployment) -> bool {
        let holds = |given: Option<u32>, value: u32| given.is_none_or(|given| given == value);
        self.schedule.as_ref().is_none_or(|given| *given == deployment.schedule)
            && self.timezone.as_ref().is_none_or(|given| *given == deployment.timezone)
            && holds(self.catch_up_seconds, deployment.catch_up_seconds)
            && holds(self.max_attempts, deployment.max_attempts)
            && holds(self.timeout_seconds, deployment.timeout_seconds)
    }
}

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

/// What a deploy came to.
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
pub struct Deployed {
    pub change: Change,
    pub deployment: Deployment,
}

/// Deploys files, several at once; the outcomes come in the files' order.
pub fn deploy_all<'a>(
    client: &'a Client,
    files: &'a [PathBuf],
) -> impl futures::Stream<Item = (&'a FilePath, Result<Deployed, Failure>)> + Unpin {
    let deploy = move |file: &'a PathBuf| async move {
        let outcome = match prepare(file, &Settings::default()) {
            Ok(wanted) => deploy(client, &wanted).await,
            Err(failure) => Err(failure),
        };
        (file.as_path(), outcome)
    };
    Box::pin(futures::stream::iter(files).map(deploy).buffered(AT_ONCE))
}

/// Adds the deployment; where there is one already, brings it to what is wanted.
async fn deploy(client: &Client, wanted: &Prepared) -> Result<Deployed, Failure> {
    let added = client.post(&Path::new(&["deployments"]), Some(body(Some(&wanted.pipeline), &wanted.settings))).await;
    match added {
        Ok(answer) => Ok(Deployed { change: Change::Added, deployment: answer.read()? }),
        Err(failure) if failure.code == "already_exists" => bring_up_to_date(client, wanted).await,
        Err(failure) => Err(failure),
    }
}

async fn bring_up_to_date(client: &Client, wanted: &Prepared) -> Result<Deployed, Failure> {
    let path = Path::new(&["deployments", &wanted.project]);
    let found = client.get(&path).await?;
    let deployment: Deployment = found.read()?;
    let is_same = deployment.pipeline.as_ref().is_some_and(|pipeline| pipeline.get() == wanted.pipeline.get());
    if is_same && wanted.settings.hold_of(&deployment) {
        return Ok(Deployed { change: Change::Unchanged, deployment });
    }
    let answer = client.patch(&path, body(Some(&wanted.pipeline), &wanted.settings)).await?;
    Ok(Deployed { change: Change::Updated, deployment: answer.read()? })
}

/// What a deploy came to, for a person.
pub fn sentence(deployed: &Deployed) -> String {
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
        ("active", Some(next)) => format!(", next {}", relative(*next, Timestamp::now())),
        ("active", None) => String::new(),
        (state, _) => format!(", {state}"),
    };
    format!("version {}, {due}{next}", deployment.version)
}
