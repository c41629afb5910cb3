//! What a deploy sends: a project and its resources. Its structure is read here, and everything that is wrong with it is
//! told at once; what the pipelines mean is for the deployment to find out. Fields that are not known are passed over.

use super::asked::group;
use super::refusal::Refusal;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tidemill_model::git::Git;
use tidemill_model::ids::LogicalId;
use tidemill_operations::rollout::request::{Request, Wanted};

/// The text of a JSON value, as it was sent.
type Raw = Box<RawValue>;
type Fields = BTreeMap<String, Raw>;

/// Problems that are told in the message; the number of the others is.
const TOLD: usize = 20;
/// Longest logical id, name and address of a project, in characters.
const ID_LIMIT: usize = 256;
const NAME_LIMIT: usize = 256;
const URL_LIMIT: usize = 1024;

/// What clients call a project.
#[derive(Debug)]
pub struct Project {
    pub logical_id: String,
    pub name: String,
    pub repo_url: Option<String>,
}

/// Reads a deploy.
///
/// # Errors
/// Everything that is wrong with its structure, each with its place.
pub fn read(body: &[u8]) -> Result<Request, Refusal> {
    let fields = fields(body)?;
    let mut reader = Reader::default();
    let project: Option<Fields> = reader.required(&fields, "", "project", "an object");
    let project = project.and_then(|project| reader.project(&project, "project."));
    let resources = reader.resources(&fields);
    let git = reader.git(&fields);
    let (indexes, pipelines): (Vec<usize>, Vec<Wanted>) = resources.into_iter().unzip();
    let request = Request { pipelines, git, ..Request::default() };
    reader.pipelines(&request, &indexes);
    match (project, reader.problems.is_empty()) {
        (Some(project), true) => Ok(Request {
            group: Some(group(&project.logical_id)?),
            title: Some(project.name),
            repository: project.repo_url,
            ..request
        }),
        _ => Err(reader.refusal()),
    }
}

/// Reads a project by itself.
///
/// # Errors
/// As [`read`].
pub fn project(body: &[u8]) -> Result<Project, Refusal> {
    let fields = fields(body)?;
    let mut reader = Reader::default();
    let project = reader.project(&fields, "");
    project.filter(|_| reader.problems.is_empty()).ok_or_else(|| reader.refusal())
}

fn fields(body: &[u8]) -> Result<Fields, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::new(400, format!("the body is not a JSON object: {error}; send one")))
}

/// Whether clients can call something so.
pub fn is_logical_id(text: &str) -> bool {
    let is_sound = |c: char| c.is_ascii_alphanumeric() || "_-/#.".contains(c);
    (1..=ID_LIMIT).contains(&text.len()) && text.chars().all(is_sound)
}

#[derive(Default)]
struct Reader {
    problems: Vec<String>,
}

impl Reader {
    fn project(&mut self, project: &Fields, place: &str) -> Option<Project> {
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
    fn git(&mut self, fields: &Fields) -> Option<Git> {
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
    fn resources(&mut self, fields: &Fields) -> Vec<(usize, Wanted)> {
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
    fn resource(&mut self, fields: &Fields, place: &str) -> Option<Wanted> {
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
        Some(Wanted {
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
    fn pipelines(&mut self, request: &Request, indexes: &[usize]) {
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

    fn required<T: DeserializeOwned>(&mut self, fields: &Fields, place: &str, name: &str, kind: &str) -> Option<T> {
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

    fn refusal(self) -> Refusal {
        let count = self.problems.len();
        let mut message = self.problems.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join("; ");
        if count > TOLD {
            message.push_str(&format!("; and {} more", count - TOLD));
        }
        Refusal::new(400, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sent(resources: Value) -> Value {
        json!({
            "project": {"logicalId": "team/etl#1", "name": "ETL"},
            "resources": resources,
            "sharedFiles": [{"path": "a.js", "content": ""}],
            "repoInfo": null,
        })
    }

    fn pipeline() -> Value {
        json!({"project_id": "p", "source": "webhook_1", "components": []})
    }

    fn read_json(body: &Value) -> Result<Request, String> {
        read(body.to_string().as_bytes()).map_err(|refusal| {
            let response = refusal.response();
            assert_eq!(response.status, 400);
            let body: Value = serde_json::from_slice(&response.body).unwrap();
            body["message"].as_str().unwrap().to_owned()
        })
    }

    #[test]
    fn pipelines_are_taken_under_both_names_and_as_they_were_written() {
        let text = r#"{"project":{"logicalId":"a","name":"A"},"resources":[
            {"logicalId":"one","type":"pipeline","member":true,"payload":
                {"pipeline": {"project_id" : "p", "components": [], "n" : 1.0}}},
            {"logicalId":"two","type":"check","payload":{"checkType":"PIPELINE","name":"N","schedule":"@hourly",
                "pipeline": {"project_id": "q", "components": []}}}
        ]}"#;

        let request = read(text.as_bytes()).unwrap();

        let kinds: Vec<_> = request.pipelines.iter().map(|wanted| wanted.kind.as_str()).collect();
        assert_eq!(kinds, ["pipeline", "check"]);
        assert_eq!(request.pipelines[0].pipeline.get(), r#"{"project_id" : "p", "components": [], "n" : 1.0}"#);
        let schedules: Vec<_> = request.pipelines.iter().map(|wanted| wanted.schedule.as_deref()).collect();
        assert_eq!(schedules, [Some("manual"), Some("@hourly")], "a schedule that is gone from the code is gone");
    }

    #[test]
    fn what_lives_elsewhere_and_what_is_not_known_is_passed_over() {
        let mut sent = sent(json!([
            {"logicalId": "other", "type": "private-location", "member": false, "physicalId": 7, "payload": null},
            {"logicalId": "mine", "type": "pipeline", "member": true, "physicalId": 8, "payload": {"pipeline": pipeline(), "x": 1}},
        ]));
        sent["anything"] = json!({"else": true});
        sent["repoInfo"] = json!({"commitId": "c0ffee", "branchName": "main", "github": {}});

        let request = read_json(&sent).unwrap();

        assert_eq!((request.pipelines.len(), request.pipelines[0].id.as_ref().unwrap().as_str()), (1, "mine"));
        assert_eq!((request.group.unwrap().as_str(), request.title.as_deref()), ("team/etl#1", Some("ETL")));
        assert_eq!(request.git.unwrap().commit.as_deref(), Some("c0ffee"));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let mut sent = sent(json!([
            7,
            {"type": "pipeline", "payload": {"pipeline": pipeline()}},
            {"logicalId": "a b", "type": "dashboard", "payload": null},
            {"logicalId": "c", "type": "check", "payload": {"checkType": "API", "pipeline": []}},
            {"logicalId": "d", "type": "pipeline", "member": "yes", "payload": {"pipeline": pipeline(), "schedule": 5}},
            {"logicalId": "e", "type": "pipeline", "payload": {"pipeline": pipeline()}},
            {"logicalId": "e", "type": "pipeline", "payload": {"pipeline": pipeline()}},
            {"logicalId": "f", "type": "pipeline", "payload": {"pipeline": {"components": {}}}},
            {"logicalId": "g", "type": "pipeline", "payload": {"pipeline": []}},
        ]));
        sent["project"] = json!({"logicalId": "", "name": "", "repoUrl": "a".repeat(1025)});
        sent["repoInfo"] = json!({"commitId": 7});

        let message = read_json(&sent).unwrap_err();

        for place in [
            "`project.logicalId` is ``",
            "`project.name` is not of 1 to 256 characters",
            "`project.repoUrl` is not of 0 to 1024 characters",
            "`repoInfo.commitId` is not text",
            "`resources[0]` is no object",
            "`resources[1].logicalId` is missing",
            "`resources[2].logicalId` is `a b`",
            "`resources[2].type` is `dashboard`",
            "`resources[2].payload` is missing",
            "`resources[3].payload.checkType` is not `PIPELINE`",
            "`resources[4].member` is not `true` or `false`",
            "`resources[4].payload.schedule` is not text",
            "`resources`: the id `e` is there more than once",
            "`resources`: the project `p` is there more than once",
            "`resources[7]`: `f`: the pipeline has no `project_id`",
            "`resources[8]`: `g`: the pipeline is not an object",
        ] {
            assert!(message.contains(place), "{place}: {message}");
        }
    }

    #[test]
    fn what_is_no_envelope_at_all_is_refused() {
        assert!(read_json(&json!([])).unwrap_err().contains("not a JSON object"));
        assert!(read(b"{").is_err());
        let message = read_json(&json!({"project": 1, "resources": {}})).unwrap_err();
        assert_eq!(message, "`project` is not an object; `resources` is not a list");
    }

    #[test]
    fn a_message_about_many_problems_stays_readable() {
        let message = read_json(&sent(json!(vec![0; 100]))).unwrap_err();

        assert!(message.ends_with("`resources[19]` is no object; and 80 more"), "{message}");
    }
}
