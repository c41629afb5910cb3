//! Pipelines to start from, as `tidemill init` writes them.

/// Some files to start from.
pub struct Template {
    pub name: &'static str,
    /// One line for a list.
    pub title: &'static str,
    /// The pipeline first, then what belongs to it.
    pub files: &'static [TemplateFile],
    /// How to try it.
    pub next: &'static [&'static str],
}

pub struct TemplateFile {
    pub name: &'static str,
    pub text: &'static str,
}

/// Every template, the simplest first.
pub static TEMPLATES: [Template; 4] = [
    Template {
        name: "hello",
        title: "say hello every minute",
        files: &[TemplateFile { name: "hello.yaml", text: include_str!("hello.yaml") }],
        next: &["tidemill try hello.yaml", "tidemill dev --deploy hello.yaml"],
    },
    Template {
        name: "alert",
        title: "ask an API every five minutes, and send a message when its answer changes",
        files: &[TemplateFile { name: "alert.yaml", text: include_str!("alert.yaml") }],
        next: &[
            "tidemill try alert.yaml --env STATUS_URL=https://… --env MESSAGE_URL=https://…",
            "tidemill secrets set STATUS_URL; tidemill secrets set MESSAGE_URL",
        ],
    },
    Template {
        name: "csv",
        title: "clean a CSV file up every night",
        files: &[
            TemplateFile { name: "csv.yaml", text: include_str!("csv.yaml") },
            TemplateFile { name: "orders.csv", text: include_str!("orders.csv") },
        ],
        next: &["tidemill try csv.yaml", "tidemill dev --deploy csv.yaml"],
    },
    Template {
        name: "github",
        title: "turn a GitHub webhook into a message",
        files: &[
            TemplateFile { name: "github.yaml", text: include_str!("github.yaml") },
            TemplateFile { name: "github-issue.json", text: include_str!("github-issue.json") },
        ],
        next: &[
            "tidemill try github.yaml --input @github-issue.json --header 'X-GitHub-Event: issues' --env MESSAGE_URL=https://…",
            "tidemill secrets set MESSAGE_URL",
        ],
    },
];

/// Finds a template by its name.
pub fn named(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}
