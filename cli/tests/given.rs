//! A plane of its own for a test, as people start one.

use crate::command::{CommandOutput, tidemill_in};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::{NamedTempFile, TempDir};

/// A plane in a folder of its own, gone when the test ends.
pub struct Plane {
    child: Child,
    pub url: String,
    pub folder: TempDir,
    log: NamedTempFile,
    options: &'static [&'static str],
}

impl Plane {
    pub fn new() -> Plane {
        Plane::with(&[])
    }

    /// A plane with further options.
    pub fn with(options: &'static [&'static str]) -> Plane {
        let folder = tempfile::tempdir().unwrap();
        let log = NamedTempFile::new().unwrap();
        let (child, url) = start_with(folder.path(), log.path(), &[&["--listen", "127.0.0.1:0"], options].concat());
        Plane { child, url, folder, log, options }
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the plane by SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the plane again that was killed, where it was.
    pub fn start_again(&mut self) {
        let address = self.url.strip_prefix("http://").unwrap().to_owned();
        let options = [&["--listen", &address], self.options].concat();
        (self.child, self.url) = start_with(self.folder.path(), self.log.path(), &options);
    }

    /// Starts the plane again that was killed, with more options.
    pub fn start_with(&mut self, options: &[&str]) {
        let address = self.url.strip_prefix("http://").unwrap().to_owned();
        let options = [&["--listen", &address], options].concat();
        (self.child, self.url) = start_with(self.folder.path(), self.log.path(), &options);
    }

    /// Starts a command that is not waited for; what it prints can be read.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.spawn_at(&self.url, arguments)
    }

    /// Starts a command that finds the plane at another address.
    pub fn spawn_at(&self, url: &str, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_tidemill"))
            .args(arguments)
            .args(["--url", url])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// What the plane has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    pub fn tidemill(&self, arguments: &[&str]) -> CommandOutput {
        self.tidemill_at(&self.url, arguments)
    }

    /// Runs a command that finds the plane at another address.
    pub fn tidemill_at(&self, url: &str, arguments: &[&str]) -> CommandOutput {
        tidemill_in(self.folder.path(), &[arguments, &["--url", url]].concat(), "")
    }

    /// A request that the command has no way to send.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let host = self.url.strip_prefix("http://").unwrap();
        let key = std::fs::read_to_string(self.folder.path().join(".tidemill/key")).unwrap();
        let (key, body) = (key.trim(), body.to_string());
        let mut connection = TcpStream::connect(host).unwrap();
        let length = body.len();
        write!(
            connection,
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
    }

    /// Writes a pipeline that gives a template's text.
    pub fn write(&self, file: &str, template: &str) {
        self.write_with(file, json!({"id": "text", "provider": "template", "config": {"template": template}}));
    }

    /// Writes a pipeline with this component in its middle.
    pub fn write_with(&self, file: &str, mut component: Value) {
        component["input"] = json!([{"lane": "documents", "from": "now"}]);
        let out = json!([{"lane": "text", "from": component["id"]}]);
        let pipeline = json!({
            "project_id": "orders",
            "source": "now",
            "components": [
                {"id": "now", "provider": "timer", "config": {}},
                component,
                {"id": "out", "provider": "response", "config": {}, "input": out},
            ],
        });
        std::fs::write(self.folder.path().join(file), pipeline.to_string()).unwrap();
    }
}

/// Starts a plane in a folder, and gives its address when it is ready.
pub fn start(folder: &Path, log: &Path, address: &str) -> (Child, String) {
    start_with(folder, log, &["--listen", address])
}

/// The same with any options.
pub fn start_with(folder: &Path, log: &Path, options: &[&str]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidemill"))
        .arg("dev")
        .args(options)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(OpenOptions::new().append(true).open(log).unwrap())
        .spawn()
        .unwrap();
    let ready = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    (child, ready.strip_prefix("ready ").expect("the first line is `ready URL`").to_owned())
}

impl Drop for Plane {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
