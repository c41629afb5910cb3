//! The settings of a deployment, on the command line and in its file.

use crate::api::views::Deployment;
use crate::failure::{Exit, Failure};
use crate::output::times;
use crate::schedule::text;
use serde::{Deserialize, Serialize};
use tidemill_model::deployment::{self, checked_note};

/// For a note that no version keeps.
pub const LOST_NOTE: &str = "only a new version keeps the note, and there is none";

/// The fields by the names of their options.
const OPTIONS: &[(&str, &str)] =
    &[("`catchUpSeconds`", "`--catch-up`"), ("`maxAttempts`", "`--max-attempts`"), ("`timeoutSeconds`", "`--timeout`")];

/// The settings of a deployment.
#[derive(clap::Args, Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// When it runs: five cron fields, `@hourly` and the like, or `manual` [default: as it is, `manual` at first]
    #[arg(long, value_name = "SCHEDULE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The IANA time zone of the schedule, e.g. `Europe/Madrid` [default: as it is, UTC at first]
    #[arg(long, value_name = "ZONE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How late a due run may start after a downtime, e.g. `90s` or `1h`; 0 skips it [default: as it
    /// is, `1h` at first]
    #[arg(long = "catch-up", value_name = "TIME", value_parser = times::whole_seconds)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catch_up_seconds: Option<u32>,
    /// How many times a run is tried [default: as it is, 3 at first]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// How long a run may take, e.g. `90s` or `5m` [default: as it is, `5m` at first]
    #[arg(long = "timeout", value_name = "TIME", value_parser = times::whole_seconds)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// The reason; only a new version keeps it [default: none]
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

    /// Whether a deployment is as these say. Only a new version keeps a note.
    pub fn hold_of(&self, deployment: &Deployment) -> bool {
        let holds = |given: Option<u32>, value: u32| given.is_none_or(|given| given == value);
        self.schedule.as_ref().is_none_or(|given| *given == deployment.schedule)
            && self.timezone.as_ref().is_none_or(|given| *given == deployment.timezone)
            && holds(self.catch_up_seconds, deployment.catch_up_seconds)
            && holds(self.max_attempts, deployment.max_attempts)
            && holds(self.timeout_seconds, deployment.timeout_seconds)
    }
    /// Checks what can be checked without a plane, so that it costs no rollout.
    pub fn check(&self) -> Result<(), Failure> {
        let before = deployment::Settings::default();
        let settings = deployment::Settings {
            catch_up_seconds: self.catch_up_seconds.unwrap_or(before.catch_up_seconds),
            max_attempts: self.max_attempts.unwrap_or(before.max_attempts),
            timeout_seconds: self.timeout_seconds.unwrap_or(before.timeout_seconds),
        };
        let checked = settings.checked().and_then(|_| checked_note(self.note.clone()));
        checked.map_err(|invalid| Failure::new("invalid_argument", invalid.message).hint(invalid.hint))?;
        let schedule = self.schedule.as_deref().unwrap_or("manual");
        let zone = self.timezone.as_deref().unwrap_or("UTC");
        text::parse(schedule, zone).map(|_| ()).map_err(|error| text::refused(schedule, &error))
    }

    /// Like [`Settings::check`], for what stands on the command line.
    pub fn check_given(&self) -> Result<(), Failure> {
        self.check().map_err(|failure| {
            let by_option = |message: String, (field, option): &(&str, &str)| message.replace(field, option);
            let message = OPTIONS.iter().fold(failure.message, by_option);
            Failure { message, ..failure }.exit(Exit::Usage)
        })
    }
}
