//! Lists: as many pages as were asked for, put together as one.

use crate::api::client::{self, Client, Path};
use crate::failure::Failure;
use crate::output::table::Table;
use crate::output::times::{self, Given};
use crate::session::Session;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The most items that the API puts on a page.
pub const PAGE_LIMIT: usize = 100;

/// How much of a list is wanted.
#[derive(clap::Args, Clone, Debug)]
pub struct PageOptions {
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Show all of them
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Go on where an earlier list ended: its `next` [default: from the start]
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

/// A part of a list that is in the order of time.
#[derive(clap::Args, Clone, Debug)]
pub struct Period {
    /// Only from this time on: RFC 3339, `HH:MM` of today, `yesterday 03:00`, or `2h` ago [default: all there are]
    #[arg(long, value_name = "TIME", value_parser = times::past)]
    since: Option<Given>,
    /// Only before this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = times::past)]
    until: Option<Given>,
    #[command(flatten)]
    wanted: PageOptions,
}

impl Period {
    /// Reads pages until there is enough.
    pub async fn fetch(&self, client: &Client, path: &Path) -> Result<List, Failure> {
        let read = |given: &Option<Given>| given.as_ref().map(Given::instant).transpose();
        let path = path.clone().with_some("since", read(&self.since)?).with_some("until", read(&self.until)?);
        self.wanted.fetch(client, &path).await
    }
}

/// A list as the API sends it.
#[derive(Debug, Deserialize, Serialize)]
pub struct List {
    pub items: Vec<Box<RawValue>>,
    pub next: Option<String>,
}

impl PageOptions {
    /// Reads pages until there is enough.
    pub async fn fetch(&self, client: &Client, path: &Path) -> Result<List, Failure> {
        self.fetch_from(async |limit, cursor: Option<&str>| {
            client.get(&path.clone().with("limit", limit).with_some("cursor", cursor)).await?.read()
        })
        .await
    }

    /// Reads pages of any source until there is enough.
    pub async fn fetch_from(
        &self,
        page: impl AsyncFn(usize, Option<&str>) -> Result<List, Failure>,
    ) -> Result<List, Failure> {
        let most = if self.all { usize::MAX } else { self.limit as usize };
        let mut list = List { items: Vec::new(), next: self.cursor.clone() };
        loop {
            let limit = PAGE_LIMIT.min(most - list.items.len());
            let page = page(limit, list.next.as_deref()).await?;
            list.items.extend(page.items);
            list.next = page.next;
            if list.next.is_none() || list.items.len() >= most {
                return Ok(list);
            }
        }
    }
}

impl List {
    /// Prints the list: as it is for a script, as a table for a person.
    pub fn print<T: DeserializeOwned>(
        &self,
        session: &Session,
        empty: &str,
        mut table: Table,
        mut row: impl FnMut(&mut Table, T),
    ) -> Result<(), Failure> {
        if session.output.is_json() {
            session.output.json(self);
            return Ok(());
        }
        if self.items.is_empty() {
            session.output.note(empty);
            return Ok(());
        }
        for item in &self.items {
            row(&mut table, client::read(item.get())?);
        }
        session.output.line(crate::output::table::text(&table));
        if let Some(next) = &self.next {
            session.output.note(format_args!("there are more: give --all, or --cursor {next}"));
        }
        Ok(())
    }
}
