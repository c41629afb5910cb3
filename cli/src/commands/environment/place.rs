//! A project in an environment, as the command line names it.

use crate::api::client::Path;
use crate::completion::names;
use crate::output::table::plain;
use std::fmt;

#[derive(clap::Args, Clone, Debug)]
pub struct Place {
    /// The project, as `tidemill env list` shows it
    #[arg(add = names::placed_projects())]
    pub project: String,
    /// The environment
    #[arg(long, value_name = "NAME", default_value = "production", add = names::environments())]
    pub env: String,
}

impl Place {
    /// What the API calls it, or a part of it.
    pub fn path(&self, rest: &[&str]) -> Path {
        Path::new(&[&["environments", &self.env, "projects", &self.project], rest].concat())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in `{}`", plain(&self.project), plain(&self.env))
    }
}
