//! Runs the command in a folder of its own, apart from the environment of the tests.

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The exit code and the output of a command.
pub struct CommandOutput {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl CommandOutput {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    pub fn error_json(&self) -> Value {
        serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {}", self.stderr))
    }
}

/// Runs the command in an empty folder.
pub fn tidemill(arguments: &[&str]) -> CommandOutput {
    let folder = tempfile::tempdir().unwrap();
    tidemill_in(folder.path(), arguments, "")
}

/// Runs the command in an empty folder with something to read.
pub fn tidemill_reading(arguments: &[&str], input: &str) -> CommandOutput {
    let folder = tempfile::tempdir().unwrap();
    tidemill_in(folder.path(), arguments, input)
}

/// Runs the command in a folder.
pub fn tidemill_in(folder: &Path, arguments: &[&str], input: &str) -> CommandOutput {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidemill"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("TIDEMILL_URL")
        .env_remove("TIDEMILL_KEY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A command that reads nothing may be gone already.
        _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    CommandOutput {
        code: output.status.code().expect("the command ends by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
