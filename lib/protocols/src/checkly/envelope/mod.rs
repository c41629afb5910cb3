//! What a deploy sends: a project and its resources. Its structure is read here, and all problems are
//! reported at once; what the pipelines mean is for the deployment to find out. Fields that are not known are passed over.

mod reader;

use super::parameters::group;
use super::refusal::Refusal;
use reader::Reader;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tidemill_operations::rollout::request::{PipelineRequest, Request};

/// The text of a JSON value, as it was sent.
type Raw = Box<RawValue>;
type Fields = BTreeMap<String, Raw>;

/// Longest logical id, in characters.
const ID_LIMIT: usize = 256;

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
    let (indexes, pipelines): (Vec<usize>, Vec<PipelineRequest>) = resources.into_iter().unzip();
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
    fn all_problems_are_reported_at_once() {
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
