//! Asks the plane that the command line would ask, for a moment and without a word.

use crate::api::client::{Client, Path};
use crate::api::connection::Connection;
use crate::api::pages::{List, PAGE_LIMIT};
use crate::failure::Failure;
use crate::global::Global;
use clap::{ArgMatches, Command};
use serde::de::DeserializeOwned;
use std::sync::OnceLock;
use std::time::Duration;

/// A person waits for it with a finger on the key.
const LIMIT: Duration = Duration::from_secs(1);
/// Pages of a list that are looked through.
const PAGES: usize = 5;

/// Makes the whole command line, whose arguments in turn ask this module.
static GRAMMAR: OnceLock<fn() -> Command> = OnceLock::new();

pub fn know(grammar: fn() -> Command) {
    // A process completes one line.
    _ = GRAMMAR.set(grammar);
}

/// A plane, and the line that is completed.
pub struct Asked {
    client: Client,
    line: ArgMatches,
}

/// What `question` finds out; nothing if the plane cannot be reached, refuses, or takes too long.
pub fn ask<T: Default>(question: impl AsyncFnOnce(&Asked) -> Result<T, Failure>) -> T {
    let found = || {
        let line = line()?;
        let global = Global::of(&line).ok()?;
        let asked = Asked { client: Client::new(Connection::new(&global).ok()?).ok()?, line };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(async { tokio::time::timeout(LIMIT, question(&asked)).await.ok()?.ok() })
    };
    found().unwrap_or_default()
}

impl Asked {
    /// The items of a list, as far as a few pages go.
    pub async fn list<T: DeserializeOwned>(&self, path: &Path) -> Result<Vec<T>, Failure> {
        let (mut items, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES {
            let path = path.clone().with("limit", PAGE_LIMIT).with_some("cursor", cursor);
            let page: List = self.client.get(&path).await?.read()?;
            // What this command cannot read is of a later plane.
            items.extend(page.items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// The items of a list that has no pages.
    pub async fn all<T: DeserializeOwned>(&self, path: &Path) -> Result<Vec<T>, Failure> {
        let list: List = self.client.get(path).await?.read()?;
        Ok(list.items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect())
    }

    /// An argument that the line has already.
    pub fn given(&self, argument: &str) -> Option<String> {
        let mut level = &self.line;
        while let Some((_, below)) = level.subcommand() {
            level = below;
        }
        level.try_get_one::<String>(argument).ok().flatten().cloned()
    }
}

/// The line as far as it can be understood, without the word that is completed.
fn line() -> Option<ArgMatches> {
    let mut words: Vec<_> = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
    words.pop();
    lenient(GRAMMAR.get()?()).try_get_matches_from(words).ok()
}

fn lenient(command: Command) -> Command {
    command.ignore_errors(true).arg_required_else_help(false).mut_subcommands(lenient)
}
