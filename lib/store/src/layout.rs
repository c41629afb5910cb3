//! The layout of the table: which one it has, who may open it, and how the items of an older one are carried over.
//!
//! Version 0.1.0 wrote no row about its layout and began its sort keys with single letters. No table of the cloud has that
//! layout; its stack makes it without rows, and the first key writes this one.

use crate::body::{BATCH, delete_request, put_request};
use crate::error::{Error, Part};
use crate::item::{Item, text_of, to_item};
use crate::keys::{Key, PARTITION, SORT};
use crate::transaction::Condition;
use crate::{Store, keys};
use aws_sdk_dynamodb::types::{AttributeValue, WriteRequest};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The layout that this version reads and writes.
pub const LAYOUT: u32 = 2;
/// The oldest layout whose readers may open a table of this one.
const LEAST_READER: u32 = 2;

/// What a table says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The layout of its items.
    #[serde(rename = "layout")]
    pub number: u32,
    /// A version whose own layout is below this must not open the table.
    pub least_reader: u32,
}

impl Layout {
    const OURS: Layout = Layout { number: LAYOUT, least_reader: LEAST_READER };

    fn is_too_new(&self) -> bool {
        self.least_reader > LAYOUT
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Layout { number, least_reader } = self;
        write!(
            f,
            "the table has layout {number}, which takes a version that reads layout {least_reader}; this one reads {LAYOUT}"
        )
    }
}

/// What adopting this version's layout came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutChange {
    /// The table had it, or was empty.
    None,
    /// Items of an older layout were rewritten.
    CarriedOver {
        /// How many.
        items: usize,
    },
    /// The table belongs to a newer version.
    TooNew(Layout),
}

impl Store {
    /// Reads the layout of the table, or `None` if it says nothing about it.
    pub async fn layout(&self) -> Result<Option<Layout>, Error> {
        self.get(&keys::layout()).await
    }

    /// The layout of the table if it belongs to a newer version, whose records this one must not read or write.
    pub async fn newer_layout(&self) -> Result<Option<Layout>, Error> {
        Ok(self.layout().await?.filter(Layout::is_too_new))
    }

    /// Says in the table that it has this version's layout, unless it names one already.
    pub async fn note_layout(&self) -> Result<(), Error> {
        let row = to_item(&keys::layout(), &Layout::OURS)?;
        match self.transaction().put(Part::Other, row, Condition::absent()).commit().await {
            Err(error) if error.rejects(Part::Other) => Ok(()),
            noted => noted,
        }
    }

    /// Gives the table this version's layout. The caller makes sure that nothing else works on the table.
    ///
    /// A crash in between loses nothing: an item is deleted under its old key after it was written under its new one,
    /// and the table says that it has the new layout when every item has it.
    pub async fn adopt_layout(&self) -> Result<LayoutChange, Error> {
        match self.layout().await? {
            Some(layout) if layout.is_too_new() => return Ok(LayoutChange::TooNew(layout)),
            Some(layout) if layout.number >= LAYOUT => return Ok(LayoutChange::None),
            _ => {}
        }
        let items = self.carry_over().await?;
        let row = to_item(&keys::layout(), &Layout::OURS)?;
        self.transaction().put(Part::Other, row, Condition::none()).commit().await?;
        match items {
            0 => Ok(LayoutChange::None),
            items => Ok(LayoutChange::CarriedOver { items }),
        }
    }

    /// Rewrites every item that has a key of the first layout, and gives their number.
    async fn carry_over(&self) -> Result<usize, Error> {
        let (mut moved, mut start) = (0, None);
        loop {
            let scan = self.client.scan().table_name(&self.table).consistent_read(true);
            let page = scan.set_exclusive_start_key(start.take()).send().await?;
            let moves: Vec<Move> = page.items.unwrap_or_default().into_iter().filter_map(Move::of).collect();
            for batch in moves.chunks(BATCH) {
                self.write_batch(batch.iter().map(Move::put).collect()).await?;
                self.write_batch(batch.iter().map(Move::delete).collect()).await?;
            }
            moved += moves.len();
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(moved);
            }
        }
    }
}

/// An item on its way to its new key.
struct Move {
    from: Key,
    item: Item,
}

impl Move {
    fn of(mut item: Item) -> Option<Move> {
        let from = Key { partition: text_of(&item, PARTITION), sort: text_of(&item, SORT) };
        let sort = renamed(&from)?;
        item.insert(SORT.to_owned(), AttributeValue::S(sort));
        Some(Move { from, item })
    }

    fn put(&self) -> WriteRequest {
        put_request(self.item.clone())
    }

    fn delete(&self) -> WriteRequest {
        delete_request(&self.from)
    }
}

/// What the first layout began the sort keys of a partition with, and what stands there now.
const OF_OWNERS: [(&str, &str); 11] = [
    ("D#", keys::DEPLOYMENTS),
    ("E#", keys::ENVIRONMENTS),
    ("N#", keys::NOTICES),
    ("K#", keys::KEYS),
    ("S#", keys::SECRETS),
    ("I#", "idempotency#"),
    ("T#", keys::TASKS),
    ("W#", "serving#"),
    ("G#", keys::GROUPS),
    ("M#", "member#"),
    ("R#", keys::ROLLOUTS),
];
const OF_PROJECTS: [(&str, &str); 10] = [
    ("V#", keys::VERSIONS),
    ("B#", "body#"),
    ("R#", keys::RUNS),
    ("L#", "log#"),
    ("X#", "trace#"),
    ("C#", "checkpoint#"),
    ("T#", keys::TICKS),
    ("S#", "seen#"),
    ("A#", keys::AUDIT),
    ("H#", keys::ENVIRONMENT_AUDIT),
];
const OF_ROLLOUTS: [(&str, &str); 2] = [("B#", "body#"), ("0", "resource#0")];
const OF_WATCHERS: [(&str, &str); 1] = [("C#", keys::WATCHERS)];

/// The sort key that an item of the first layout has now; `None` if it keeps its own.
fn renamed(key: &Key) -> Option<String> {
    let prefixes: &[(&str, &str)] = match key.partition.split_once('#')?.0 {
        "O" => &OF_OWNERS,
        "P" => &OF_PROJECTS,
        "R" => &OF_ROLLOUTS,
        "W" => &OF_WATCHERS,
        _ => return None,
    };
    prefixes.iter().find_map(|(old, new)| Some(format!("{new}{}", key.sort.strip_prefix(old)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_first_layout_is_renamed_once() {
        let old = [
            ("O#ana", OF_OWNERS.as_slice()),
            ("P#ana#p", &OF_PROJECTS),
            ("R#1", &OF_ROLLOUTS),
            ("W#ana", &OF_WATCHERS),
        ];
        for (partition, prefixes) in old {
            for (before, after) in prefixes {
                let key = |sort: String| Key { partition: partition.to_owned(), sort };

                let new = renamed(&key(format!("{before}x#T#1"))).unwrap();

                assert_eq!(new, format!("{after}x#T#1"));
                assert_eq!(renamed(&key(new)), None, "a second start changes nothing");
            }
        }
    }

    #[test]
    fn keys_of_whole_words_stay() {
        for (partition, sort) in
            [("OWNERS", "D#"), ("O#ana", "TASKS"), ("K#1", "KEY"), ("H#1", "HOOK"), ("W#ana", "BELL")]
        {
            assert_eq!(renamed(&Key { partition: partition.to_owned(), sort: sort.to_owned() }), None);
        }
    }
}
