//! Reads the structure of an envelope, and collects everything that is wrong with it.

use super::{Fields, ID_LIMIT, Project, Raw, is_logical_id};
use crate::checkly::refusal::Refusal;
use serde::de::DeserializeOwned;
use tidemill_model::git::Git;
use tidemill_model::ids::LogicalId;
use tidemill_operations::rollout::request::{PipelineRequest, Request};

/// Problems that the message lists; it counts the others.
const LISTED: usize = 20;
/// Longest name and address of a project, in characters.
const NAME_LIMIT: usize = 256;
const URL_LIMIT: usize = 1024;

/// Reads the fields of an envelope, and collects what is wrong with them.
#[derive(Default)]
pub struct Reader {
    pub problems: Vec<String>,
}

impl Reader {
    pub fn project(&mut self, project: &Fields, place: &str) -> Option<Project> {
        let logical_id = self.logical_id(project, place);
        let name: Option<String> = self.required(project, place, "name", "text");
        let repo_url: Option<String> = self.optional(project, place, "repoUrl", "text");
        let fields = [("name", &name, 1..=NAME_LIMIT), ("repoUrl", &repo_url, 0..=URL_LIMIT)];
        for (field, text, characters) in fields {
            if text.as_ref().is_some_and(|text| !characters.contains(&text.chars().count())) {
                let (least, most) = characters.into_inner();
                self.problem(&format!("{place}{field}"), &format!("is not of {least} to {most} characters"));
            }
        }
        Some(Project { logical_id: logical_id?, name: name?, repo_url })
    }

    /// What clients know of the repository that they deploy from.
    pub fn git(&mut self, fields: &Fields) -> Option<Git> {
        let known: Fields = self.optional(fields, "", "repoInfo", "an object")?;
        let github: Fields = self.optional(&known, "repoInfo.", "github", "an object").unwrap_or_default();
        let pull_request = self.optional(&github, "repoInfo.github.", "pullRequestNumber", "text");
        let mut text = |name| self.optional(&known, "repoInfo.", name, "text");
        Some(Git {
            commit: text("commitId"),
            branch: text("branchName"),
            message: text("commitMessage"),
            author: text("commitOwner"),
            repository: text("repoUrl"),
            pull_request,
        })
    }

    /// The members of the project, each with its index.
    pub fn resources(&mut self, fields: &Fields) -> Vec<(usize, PipelineRequest)> {
        let items: Vec<Raw> = self.required(fields, "", "resources", "a list").unwrap_or_default();
        let mut resources = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match serde_json::from_str::<Fields>(item.get()) {
                Ok(fields) => {
                    let resource = self.resource(&fields, &format!("resources[{index}]."));
                    resources.extend(resource.map(|resource| (index, resource)));
                }
                Err(_) => self.problem(&format!("resources[{index}]"), "is no object"),
            }
        }
        resources
    }

    /// `None` for one that is no member of the project, or is not sound.
    fn resource(&mut self, fields: &Fields, place: &str) -> Option<PipelineRequest> {
        if self.optional(fields, place, "member", "`true` or `false`") == Some(false) {
            return None;
        }
        let logical_id = self.logical_id(fields, place);
        let kind: Option<String> = self.required(fields, place, "type", "text");
        let payload: Option<Fields> = self.required(fields, place, "payload", "an object");
        let kind = kind.and_then(|kind| self.kind(&kind, payload.as_ref(), place));
        let (payload, place) = (payload?, format!("{place}payload."));
        let pipeline: Option<Raw> = self.required(&payload, &place, "pipeline", "an object");
        let _: Option<String> = self.optional(&payload, &place, "name", "text");
        let schedule = self.optional(&payload, &place, "schedule", "text");
        let timezone = self.optional(&payload, &place, "timezone", "text");
        Some(PipelineRequest {
            id: Some(LogicalId::parse(logical_id?).ok()?),
            kind: kind?.to_owned(),
            pipeline: pipeline?,
            // The project's code says all that there is to say: what it does not say is not left over from before.
            schedule: Some(schedule.unwrap_or_else(|| "manual".to_owned())),
            timezone: Some(timezone.unwrap_or_else(|| "UTC".to_owned())),
            catch_up_seconds: None,
            max_attempts: None,
            timeout_seconds: None,
            note: None,
        })
    }

    /// What is wrong with the structure of the pipelines, and among them.
    pub fn pipelines(&mut self, request: &Request, indexes: &[usize]) {
        let Err(error) = request.named() else { return };
        for detail in error.details {
            let index = detail.field.as_deref().and_then(|field| field.strip_prefix("pipelines[")?.strip_suffix(']'));
            let index = index.and_then(|index| indexes.get(index.parse::<usize>().ok()?));
            let place = index.map_or_else(|| "resources".to_owned(), |index| format!("resources[{index}]"));
            self.problems.push(format!("`{place}`: {}", detail.message));
        }
    }

    fn kind(&mut self, kind: &str, payload: Option<&Fields>, place: &str) -> Option<&'static str> {
        let check_type = payload.and_then(|payload| payload.get("checkType")).map(|is| is.get());
        match (kind, check_type) {
            ("pipeline", _) => Some("pipeline"),
            ("check", Some("\"PIPELINE\"")) => Some("check"),
            ("check", _) => {
                self.none(&format!("{place}payload.checkType"), "is not `PIPELINE`, and no other check runs here")
            }
            (other, _) => {
                let other = other.escape_debug();
                let wrong = format!("is `{other}`, expected `pipeline`, or `check` with the `checkType` `PIPELINE`");
                self.none(&format!("{place}type"), &wrong)
            }
        }
    }

    fn logical_id(&mut self, fields: &Fields, place: &str) -> Option<String> {
        let id: String = self.required(fields, place, "logicalId", "text")?;
        if !is_logical_id(&id) {
            let wrong = format!("is `{}`, expected 1 to {ID_LIMIT} of `A-Z a-z 0-9 _ - / # .`", id.escape_debug());
            return self.none(&format!("{place}logicalId"), &wrong);
        }
        Some(id)
    }

    pub fn required<T: DeserializeOwned>(&mut self, fields: &Fields, place: &str, name: &str, kind: &str) -> Option<T> {
        match fields.get(name).filter(|value| value.get() != "null") {
            Some(_) => self.optional(fields, place, name, kind),
            None => self.none(&format!("{place}{name}"), &format!("is missing, expected {kind}")),
        }
    }

    /// `null` is as if it were not there.
    fn optional<T: DeserializeOwned>(&mut self, fields: &Fields, place: &str, name: &str, kind: &str) -> Option<T> {
        let value = fields.get(name).filter(|value| value.get() != "null")?;
        serde_json::from_str(value.get())
            .ok()
            .or_else(|| self.none(&format!("{place}{name}"), &format!("is not {kind}")))
    }

    fn problem(&mut self, place: &str, wrong: &str) {
        self.problems.push(format!("`{place}` {wrong}"));
    }

    /// What is not had because of a problem.
    fn none<T>(&mut self, place: &str, wrong: &str) -> Option<T> {
        self.problem(place, wrong);
        None
    }

    pub fn refusal(self) -> Refusal {
        let count = self.problems.len();
        let mut message = self.problems.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join("; ");
        if count > LISTED {
            message.push_str(&format!("; and {} more", count - LISTED));
        }
        Refusal::new(400, message)
    }
}
