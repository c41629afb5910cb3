//! `tidemill init`: writes a pipeline to start from.

use crate::failure::{Exit, Failure};
use crate::output::table;
use crate::session::Session;
use crate::templates::{TEMPLATES, Template, named};
use comfy_table::Cell;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use tidemill_model::pipeline::nearest::nearest;

/// Write a pipeline to start from into this folder
///
/// It overwrites nothing: if a file of the template is there already, no file is written, unless --force is given.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill init --list
  tidemill init alert")]
pub struct Args {
    /// What to start from, as `--list` shows it
    #[arg(default_value = "hello")]
    template: String,
    /// List the templates
    #[arg(long)]
    list: bool,
    /// Overwrite files that are there
    #[arg(long)]
    force: bool,
}

pub fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    if args.list {
        list(session);
        return Ok(Exit::Done);
    }
    let template = named(&args.template).ok_or_else(|| unknown(&args.template))?;
    if !args.force
        && let Some(file) = template.files.iter().find(|file| Path::new(file.name).symlink_metadata().is_ok())
    {
        let hint = "move it away, write into another folder, or overwrite it with `--force`";
        let failure = Failure::new("already_exists", format!("`{}` is there already", file.name));
        return Err(failure.hint(hint).exit(Exit::Conflict));
    }
    for file in template.files {
        let path = Path::new(file.name);
        // One that came in the meantime is left alone, too.
        let mut options = OpenOptions::new();
        options.write(true).create(args.force).truncate(args.force).create_new(!args.force);
        let written = options.open(path).and_then(|mut opened| opened.write_all(file.text.as_bytes()));
        written.map_err(|error| Failure::file("write", path, &error))?;
    }
    let names: Vec<&str> = template.files.iter().map(|file| file.name).collect();
    match session.output.is_json() {
        true => session.output.json(&json!({ "template": template.name, "files": names })),
        false => {
            let shown: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            session.output.line(format_args!("wrote {}", shown.join(" and ")));
            session.output.note(format_args!("next:\n  {}", template.next.join("\n  ")));
        }
    }
    Ok(Exit::Done)
}

fn list(session: &Session) {
    if session.output.is_json() {
        let item = |template: &Template| json!({ "name": template.name, "title": template.title });
        return session.output.json(&json!({ "items": TEMPLATES.iter().map(item).collect::<Vec<_>>() }));
    }
    let mut shown = table::new(&["TEMPLATE", "WHAT IT DOES"]);
    for template in &TEMPLATES {
        shown.add_row([Cell::new(template.name), Cell::new(template.title)]);
    }
    session.output.line(table::text(&shown));
}

fn unknown(name: &str) -> Failure {
    let hint = match nearest(name, TEMPLATES.iter().map(|template| template.name)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`tidemill init --list` shows the templates".to_owned(),
    };
    Failure::new("not_found", format!("template `{name}` does not exist")).hint(hint).exit(Exit::NotFound)
}
