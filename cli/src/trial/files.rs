//! The files that a trial would write: they are written into a folder that is thrown away, and shown.

use crate::failure::Failure;
use serde::Serialize;
use std::io::Read;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tidemill_engine::Masks;

/// Files shown at most.
const FILES: usize = 20;
/// Characters shown of a file.
const SHOWN: usize = 500;
/// Bytes read of it for that.
const READ: u64 = 256 * 1024;

/// Where the files of a trial go.
pub enum Destination {
    /// Nowhere, in the end.
    Shown(TempDir),
    /// To a folder that stays.
    Kept(PathBuf),
}

/// A file that would be written.
#[derive(Serialize)]
pub struct WouldWrite {
    pub file: String,
    pub bytes: u64,
    /// How it begins.
    pub text: String,
}

impl Destination {
    pub fn shown() -> Result<Destination, Failure> {
        let folder = tempfile::tempdir();
        folder.map(Destination::Shown).map_err(|error| Failure::file("make", &std::env::temp_dir(), &error))
    }

    /// The folder, which is there.
    pub fn folder(&self) -> Result<PathBuf, Failure> {
        let path = match self {
            Destination::Shown(folder) => folder.path().to_owned(),
            Destination::Kept(path) => path.clone(),
        };
        std::fs::create_dir_all(&path).map_err(|error| Failure::file("make", &path, &error))?;
        std::fs::canonicalize(&path).map_err(|error| Failure::file("find", &path, &error))
    }

    /// What was written there, if it will not stay.
    pub fn would_write(&self, masks: &Masks) -> Vec<WouldWrite> {
        let mut files = Vec::new();
        if let Destination::Shown(folder) = self {
            collect(folder.path(), folder.path(), masks, &mut files);
            files.sort_by(|a, b| a.file.cmp(&b.file));
        }
        files
    }
}

fn collect(root: &Path, folder: &Path, masks: &Masks, files: &mut Vec<WouldWrite>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(metadata) = entry.metadata() else { continue };
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        // The engine's own notes beside the files begin with a dot.
        if entry.file_name().to_string_lossy().starts_with('.') || files.len() == FILES {
            continue;
        }
        match metadata.is_dir() {
            true => collect(root, &path, masks, files),
            false => files.push(WouldWrite { file: name, bytes: metadata.len(), text: start_of(&path, masks) }),
        }
    }
}

/// It is masked before it is cut, so that no half of a secret is shown.
fn start_of(path: &Path, masks: &Masks) -> String {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(READ).read_to_end(&mut bytes));
    if read.is_err() {
        return String::new();
    }
    let text = masks.apply(&String::from_utf8_lossy(&bytes));
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
