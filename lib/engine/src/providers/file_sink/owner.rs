//! Which run and component opened a file last, kept in `.<name>.tidemill` beside it. Read and written only while the
//! file itself is locked.

use super::beside;
use crate::folders;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

#[derive(Serialize, Deserialize)]
pub struct Owner {
    pub run: String,
    pub component: String,
    /// The file's length when this owner took it over; it never cuts off more than what it wrote itself.
    pub length: u64,
}

impl Owner {
    /// `None` if no run has opened the file yet, or the note is broken.
    pub fn read(path: &Path) -> Option<Owner> {
        serde_json::from_slice(&fs::read(beside(path, "tidemill")).ok()?).ok()
    }

    /// Replaces the note in one step, durable before the new owner writes its first byte.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let draft = beside(path, "tidemill.new");
        let mut file = folders::private_file().write(true).create(true).truncate(true).open(&draft)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_data()?;
        fs::rename(&draft, beside(path, "tidemill"))?;
        match path.parent() {
            Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }

    pub fn is_same_as(&self, other: &Owner) -> bool {
        self.run == other.run && self.component == other.component
    }
}
