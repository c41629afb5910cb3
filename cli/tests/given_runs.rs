//! Pipelines whose runs write logs, and commands that follow them.

use crate::given::Plane;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines, Read};
use std::process::{Child, ChildStderr, ChildStdout};
use std::time::{Duration, Instant};

/// Lines of a file that keeps a run busy for some seconds.
pub const LONG: usize = 3_000;

impl Plane {
    /// Deploys a pipeline that logs a text.
    pub fn deploy_saying(&self, project: &str, text: &str) {
        self.deploy_chain(
            project,
            &[("timer", json!({}), "documents"), ("template", json!({"template": text}), "text")],
        );
    }

    /// Deploys a pipeline that logs each line of a long file, and saves its progress after every fifty.
    pub fn deploy_long(&self, project: &str) -> Vec<String> {
        let lines: Vec<String> = (0..LONG).map(|number| format!("line {number}")).collect();
        std::fs::write(self.folder.path().join("in.txt"), lines.join("\n") + "\n").unwrap();
        self.deploy_chain(
            project,
            &[("file_source", json!({"path": "in.txt"}), "text"), ("dedupe", json!({}), "text")],
        );
        lines
    }

    /// Deploys components in a line, at whose end is a log.
    fn deploy_chain(&self, project: &str, links: &[(&str, Value, &str)]) {
        let (mut components, mut input) = (Vec::new(), Value::Null);
        for (provider, config, lane) in links.iter().chain(&[("log", json!({}), "")]) {
            let mut component = json!({"id": provider, "provider": provider, "config": config});
            if !input.is_null() {
                component["input"] = json!([input]);
            }
            components.push(component);
            input = json!({"lane": lane, "from": provider});
        }
        let pipeline = json!({"project_id": project, "source": components[0]["id"], "components": components});
        let file = format!("{project}.pipe");
        std::fs::write(self.folder.path().join(&file), pipeline.to_string()).unwrap();
        let deployed = self.tidemill(&["deploy", &file]);
        assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    }

    /// Starts a run and gives its id.
    pub fn begin_run(&self, project: &str) -> String {
        self.tidemill(&["run", project, "--json"]).json()["id"].as_str().unwrap().to_owned()
    }
}

/// A command that is going, and what it prints.
pub struct Follower {
    child: Child,
    pub lines: Lines<BufReader<ChildStdout>>,
    notes: BufReader<ChildStderr>,
}

impl Follower {
    pub fn of(mut child: Child) -> Follower {
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let notes = BufReader::new(child.stderr.take().unwrap());
        Follower { child, lines, notes }
    }

    /// Waits until it says something on standard error.
    pub fn says(&mut self, what: &str) {
        let mut note = String::new();
        while !note.contains(what) {
            note.clear();
            assert_ne!(self.notes.read_line(&mut note).unwrap(), 0, "it ends before it says `{what}`");
        }
    }

    /// The next lines, up to one that holds this.
    pub fn until(&mut self, what: &str) -> Vec<String> {
        let mut read = Vec::new();
        for line in self.lines.by_ref() {
            read.push(line.unwrap());
            if read.last().unwrap().contains(what) {
                return read;
            }
        }
        panic!("`{what}` does not come: {read:?}");
    }

    /// Does what Ctrl-C does. Gives the exit code and the rest of standard error.
    pub fn interrupted(mut self) -> (i32, String) {
        let sent = std::process::Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let start = Instant::now();
        let ended = self.ended();
        assert!(start.elapsed() < Duration::from_secs(5), "it ends at once");
        ended
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> (i32, String) {
        let mut rest = String::new();
        self.notes.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap(), rest)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// What the lines of `log` say, without time and level.
pub fn messages(lines: &[String]) -> Vec<String> {
    lines.iter().filter_map(|line| Some(line.split_once(" log: ")?.1.to_owned())).collect()
}
