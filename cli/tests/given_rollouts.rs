//! Folders of pipelines, and what commands print of them.

use crate::command::CommandOutput;
use crate::given::Plane;
use serde_json::{Value, json};
use std::fs;

/// Pipelines that keep a plane busy for a while.
pub const MANY: usize = 300;

impl Plane {
    /// Writes a folder with a pipeline for each project, in the place of what it had.
    pub fn folder(&self, folder: &str, projects: &[&str], text: &str) {
        let path = self.folder.path().join(folder);
        _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        for project in projects {
            let file = format!("{folder}/{project}.pipe");
            self.write(&file, text);
            let pipeline = fs::read_to_string(self.folder.path().join(&file)).unwrap();
            let pipeline = pipeline.replace("\"orders\"", &format!("\"{project}\""));
            fs::write(self.folder.path().join(&file), pipeline).unwrap();
        }
    }

    /// Writes a folder whose rollout takes a while, and names its projects.
    pub fn many(&self, folder: &str) -> Vec<String> {
        let projects: Vec<String> = (0..MANY).map(|number| format!("p{number:03}")).collect();
        self.folder(folder, &projects.iter().map(String::as_str).collect::<Vec<_>>(), "x");
        projects
    }

    /// Begins a rollout of many pipelines and gives its id.
    pub fn begin_many(&self, folder: &str) -> String {
        self.many(folder);
        let begun = self.tidemill(&["deploy", folder, "--detach", "--json"]);
        assert_eq!(begun.code, 0, "{}", begun.stderr);
        begun.json()["id"].as_str().unwrap().to_owned()
    }

    /// Writes a pipeline that no plane can run.
    pub fn write_broken(&self, file: &str, project: &str) {
        let components =
            json!([{"id": "x", "provider": "nope", "config": {}}, {"id": "y", "provider": "none", "config": {}}]);
        let pipeline = json!({"project_id": project, "components": components});
        fs::write(self.folder.path().join(file), pipeline.to_string()).unwrap();
    }

    /// What is deployed, by name.
    pub fn deployed(&self) -> Vec<String> {
        let list = self.tidemill(&["list", "--all", "--json"]).json();
        names(&list, "project")
    }
}

/// A field of each item.
pub fn names(list: &Value, field: &str) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

/// What became of each resource, as it was printed.
pub fn lines(ended: &CommandOutput) -> Vec<&str> {
    ended.stdout.lines().filter(|line| !line.starts_with("rollout `")).collect()
}
