//! The files that follow from code. Each is made as text, and either written or compared with what is checked in.

mod api_gateway;
mod commands;
mod errors;
mod permissions;
mod providers;
mod roles;
mod template;

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Lines of a difference that are shown.
const EXCERPT: usize = 6;

/// A file and what should stand in it.
pub struct File {
    /// From the root of the repository.
    pub path: &'static str,
    pub text: String,
}

/// Every file that is written here.
pub fn files() -> Vec<File> {
    let file = |path, text| File { path, text };
    vec![
        file("template.yaml", template::text(&read("template.yaml"), &description())),
        file("infra/api-gateway.yaml", api_gateway::text(&read("infra/gateway-responses.yaml"))),
        file("docs/permissions.md", permissions::text()),
        file("docs/providers.md", providers::text()),
        file("docs/commands.md", commands::text()),
        file("docs/errors.md", errors::text()),
    ]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace").to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The description of the API.
fn description() -> serde_yaml_ng::Value {
    serde_yaml_ng::from_str(&read("infra/openapi.yaml")).unwrap_or_else(|error| panic!("infra/openapi.yaml: {error}"))
}

impl File {
    fn current(&self) -> String {
        std::fs::read_to_string(root().join(self.path)).unwrap_or_default()
    }

    pub fn is_current(&self) -> bool {
        self.current() == self.text
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self) -> std::io::Result<()> {
        std::fs::write(root().join(self.path), &self.text)
    }

    /// Where the file that is checked in differs from what it should be, from the first such line on.
    pub fn difference(&self) -> Option<String> {
        let current = self.current();
        (current != self.text).then(|| format!("{} is out of date:\n{}", self.path, excerpt(&current, &self.text)))
    }
}

fn excerpt(current: &str, wanted: &str) -> String {
    let same = current.lines().zip(wanted.lines()).take_while(|(current, wanted)| current == wanted).count();
    let mut excerpt = format!("@@ line {}\n", same + 1);
    for (sign, text) in [('-', current), ('+', wanted)] {
        for line in text.lines().skip(same).take(EXCERPT) {
            writeln!(excerpt, "{sign}{line}").expect("a text takes more text");
        }
    }
    excerpt
}

/// `DeploymentAdd` of `deployment_add`.
fn camel(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn a_difference_shows_the_first_lines_that_differ() {
        assert_eq!(excerpt("a\nb\nc\n", "a\nB\nc\n"), "@@ line 2\n-b\n-c\n+B\n+c\n");
    }
}
