//! The options that every command takes.

use clap::Args;
use std::path::PathBuf;

/// What every command takes.
#[derive(Args, Clone)]
pub struct Global {
    /// Print JSON: the answer on standard output, an error on standard error
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// The plane [default: TIDEMILL_URL, or http://127.0.0.1:5565]
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    pub url: Option<String>,
    /// The API key [default: TIDEMILL_KEY, or the one in DATA/key for a plane on this machine]
    #[arg(long, global = true, value_name = "KEY", help_heading = "Everywhere")]
    pub key: Option<String>,
    /// The data folder of a plane on this machine
    #[arg(long, global = true, value_name = "DIR", default_value = ".tidemill", help_heading = "Everywhere")]
    pub data: PathBuf,
}

/// The variables are read here and not by clap, which would list them in every `Usage:` as if they had to be given.
impl Global {
    pub fn url(&self) -> Option<String> {
        self.url.clone().or_else(|| std::env::var("TIDEMILL_URL").ok())
    }

    pub fn key(&self) -> Option<String> {
        self.key.clone().or_else(|| std::env::var("TIDEMILL_KEY").ok())
    }
}
