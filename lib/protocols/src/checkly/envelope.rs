//! What a deploy sends: a project and its resources. Its structure is read here, and everything that is wrong with it is
//! told at once; what the pipelines mean is for the deployment to find out. Fields that are not known are passed over.

use super::refusal::Refusal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashSet};

/// The text of a JSON value, as it was sent.
type Raw = Box<RawValue>;
type Fields = BTreeMap<String, Raw>;

/// Problems that are told in the message; the number of the others is.
const TOLD: usize = 20;
/// Longest logical id, in characters.
const ID_LIMIT: usize = 256;

/// A deploy whose structure is sound.
#[derive(Debug)]
pub struct Envelope {
    pub project: Project,
    /// Those that are members, in the order that they were sent in.
    pub resources: Vec<Resource>,
    pub repository: Option<Repository>,
}

#[derive(Debug)]
pub struct Project {
    pub logical_id: String,
    pub name: String,
    pub repo_url: Option<String>,
}

#[derive(Debug)]
pub struct Resource {
    pub logical_id: String,
    /// As it was sent: answers say the same.
    pub kind: Kind,
    pub name: Option<String>,
    pub pipeline: Raw,
    pub schedule: Option<String>,
    pub timezone: Option<String>,
}

/// What clients may call a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Pipeline,
    /// A check whose `checkType` is `PIPELINE`: clients show no other type of their users' own.
    Check,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Pipeline => "pipeline",
            Kind::Check => "check",
        }
    }
}

/// What clients know of the repository that they deploy from.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Repository {
    pub commit_id: Option<String>,
    pub repo_url: Option<String>,
    pub branch_name: Option<String>,
    pub commit_owner: Option<String>,
    pub commit_message: Option<String>,
}

/// Reads a body.
///
/// # Errors
/// Everything that is wrong with its structure, each with its place.
pub fn read(body: &[u8]) -> Result<Envelope, Refusal> {
    let fields: Fields = serde_json::from_slice(body).map_err(|error| {
        Refusal::new(400, format!("the body is not a JSON object: {error}; send `project` and `resources`"))
    })?;
    let mut reader = Reader::default();
    let project = reader.project(&fields);
    let resources = reader.resources(&fields);
    let repository = reader.optional(&fields, "", "repoInfo", "an object");
    match (project, reader.problems.is_empty()) {
        (Some(project), true) => Ok(Envelope { project, resources, repository }),
        _ => Err(reader.refusal()),
    }
}

#[derive(Default)]
struct Reader {
    problems: Vec<String>,
}

impl Reader {
    fn project(&mut self, fields: &Fields) -> Option<Project> {
        let project: Fields = self.required(fields, "", "project", "an object")?;
        let logical_id = self.logical_id(&project, "project.");
        let name = self.required(&project, "project.", "name", "text");
        let repo_url = self.optional(&project, "project.", "repoUrl", "text");
        Some(Project { logical_id: logical_id?, name: name?, repo_url })
    }

    fn resources(&mut self, fields: &Fields) -> Vec<Resource> {
        let items: Vec<Raw> = self.required(fields, "", "resources", "a list").unwrap_or_default();
        let mut ids = HashSet::new();
        let mut resources = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let place = format!("resources[{index}]");
            let Ok(fields) = serde_json::from_str::<Fields>(item.get()) else {
                self.problem(&place, "is no object");
                continue;
            };
            let Some(resource) = self.resource(&fields, &format!("{place}.")) else { continue };
            if ids.insert((resource.kind, resource.logical_id.clone())) {
                resources.push(resource);
            } else {
                self.problem(&format!("{place}.logicalId"), &format!("`{}` is there twice", resource.logical_id));
            }
        }
        resources
    }

    /// `None` for one that is no member of the project, or is not sound.
    fn resource(&mut self, fields: &Fields, place: &str) -> Option<Resource> {
        if self.optional(fields, place, "member", "`true` or `false`") == Some(false) {
            return None;
        }
        let logical_id = self.logical_id(fields, place);
        let kind = self.required::<String>(fields, place, "type", "text");
        let payload: Option<Fields> = self.required(fields, place, "payload", "an object");
        let kind = self.kind(&kind?, payload.as_ref(), place);
        let (payload, place) = (payload?, format!("{place}payload."));
        let pipeline: Option<Raw> = self.required(&payload, &place, "pipeline", "an object");
        if pipeline.as_ref().is_some_and(|pipeline| !pipeline.get().starts_with('{')) {
            self.problem(&format!("{place}pipeline"), "is no object");
        }
        let name = self.optional(&payload, &place, "name", "text");
        let schedule = self.optional(&payload, &place, "schedule", "text");
        let timezone = self.optional(&payload, &place, "timezone", "text");
        Some(Resource { logical_id: logical_id?, kind: kind?, name, pipeline: pipeline?, schedule, timezone })
    }

    fn kind(&mut self, kind: &str, payload: Option<&Fields>, place: &str) -> Option<Kind> {
        let check_type = payload.and_then(|payload| payload.get("checkType")).map(|is| is.get());
        match (kind, check_type) {
            ("pipeline", _) => Some(Kind::Pipeline),
            ("check", Some("\"PIPELINE\"")) => Some(Kind::Check),
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
        let is_sound = |c: char| c.is_ascii_alphanumeric() || "_-/#.".contains(c);
        if id.is_empty() || id.len() > ID_LIMIT || !id.chars().all(is_sound) {
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

    fn read_json(body: &Value) -> Result<Envelope, String> {
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
            {"logicalId":"one","type":"pipeline","member":true,"payload":{"pipeline": {"n" : 1.0}}},
            {"logicalId":"one","type":"check","payload":{"checkType":"PIPELINE","name":"N","pipeline":{},"schedule":"@hourly"}}
        ]}"#;

        let envelope = read(text.as_bytes()).unwrap();

        let kinds: Vec<_> = envelope.resources.iter().map(|resource| resource.kind.as_str()).collect();
        assert_eq!(kinds, ["pipeline", "check"]);
        assert_eq!(envelope.resources[0].pipeline.get(), r#"{"n" : 1.0}"#);
        assert_eq!(envelope.resources[1].schedule.as_deref(), Some("@hourly"));
    }

    #[test]
    fn what_lives_elsewhere_and_what_is_not_known_is_passed_over() {
        let mut sent = sent(json!([
            {"logicalId": "other", "type": "private-location", "member": false, "physicalId": 7, "payload": null},
            {"logicalId": "mine", "type": "pipeline", "member": true, "physicalId": 8, "payload": {"pipeline": pipeline(), "x": 1}},
        ]));
        sent["anything"] = json!({"else": true});
        sent["repoInfo"] = json!({"commitId": "c0ffee", "branchName": "main", "github": {}});

        let envelope = read_json(&sent).unwrap();

        assert_eq!((envelope.resources.len(), envelope.resources[0].logical_id.as_str()), (1, "mine"));
        assert_eq!(envelope.project.logical_id, "team/etl#1");
        assert_eq!(envelope.repository.unwrap().commit_id.as_deref(), Some("c0ffee"));
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
        ]));
        sent["project"] = json!({"logicalId": ""});

        let message = read_json(&sent).unwrap_err();

        for place in [
            "`project.logicalId` is ``",
            "`project.name` is missing",
            "`resources[0]` is no object",
            "`resources[1].logicalId` is missing",
            "`resources[2].logicalId` is `a b`",
            "`resources[2].type` is `dashboard`",
            "`resources[2].payload` is missing",
            "`resources[3].payload.checkType` is not `PIPELINE`",
            "`resources[3].payload.pipeline` is no object",
            "`resources[4].member` is not `true` or `false`",
            "`resources[4].payload.schedule` is not text",
            "`resources[6].logicalId` `e` is there twice",
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
