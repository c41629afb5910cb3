//! `tidemill dev --watch`.

use crate::command::tidemill_in;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

struct Watching {
    child: Child,
    url: String,
    said: std::io::Lines<BufReader<ChildStderr>>,
}

impl Watching {
    fn new(folder: &Path) -> Watching {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidemill"))
            .args(["dev", "--listen", "127.0.0.1:0", "--deploy", "pipelines", "--watch"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ready = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        Watching { child, url: ready.strip_prefix("ready ").unwrap().to_owned(), said }
    }

    /// Waits until it says something with all of these in one line.
    fn says(&mut self, words: &[&str]) {
        let said = self.said.by_ref().map(Result::unwrap);
        let mut before = Vec::new();
        for line in said {
            if words.iter().all(|word| line.contains(word)) {
                return;
            }
            before.push(line);
        }
        panic!("it never said {words:?}: {before:#?}");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn yaml(project: &str, text: &str) -> String {
    format!(
        "project_id: {project}\ncomponents:\n- {{id: t, provider: timer, config: {{}}}}\n\
         - {{id: text, provider: template, config: {{template: '{text}'}}, input: [{{lane: documents, from: t}}]}}\n\
         - {{id: out, provider: response, config: {{}}, input: [{{lane: text, from: text}}]}}\n"
    )
}

#[test]
fn a_change_is_deployed_a_broken_file_is_reported_and_a_removed_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pipelines/a.yaml");
    std::fs::create_dir(folder.path().join("pipelines")).unwrap();
    std::fs::write(&file, yaml("a", "one")).unwrap();
    let mut watching = Watching::new(folder.path());
    watching.says(&["watching the files"]);
    let url = watching.url.clone();
    let run = |project: &str| tidemill_in(folder.path(), &["run", project, "--follow", "--url", &url], "").stdout;

    std::fs::write(&file, yaml("a", "two")).unwrap();
    watching.says(&["updated `a`", "version 2"]);
    assert_eq!(run("a").trim(), "two");

    std::fs::write(&file, yaml("a", "three").replace("template,", "tempalte,")).unwrap();
    watching.says(&["pipelines/a.yaml:4:"]);
    assert_eq!(run("a").trim(), "two", "the live version stays");

    // An editor writes beside the file, and moves it into its place.
    let aside = folder.path().join("pipelines/.a.yaml.swp");
    std::fs::write(&aside, yaml("a", "three")).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    watching.says(&["updated `a`", "version 3"]);

    std::fs::write(folder.path().join("pipelines/b.jsonc"), "// New.\n".to_owned() + r#"{"project_id": "b", "components": [{"id": "t", "provider": "timer", "config": {}}, {"id": "l", "provider": "log", "config": {}, "input": [{"lane": "text", "from": "t"}]}]}"#).unwrap();
    watching.says(&["deployed `b`"]);

    std::fs::remove_file(&file).unwrap();
    watching.says(&["a.yaml` was removed", "tidemill remove"]);
    assert_eq!(run("a").trim(), "three");
}
