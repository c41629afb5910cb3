//! The files of a folder that a pattern names. `*` follows a link inside the folder; `**` follows none, because a link may lead
//! back to where it stands.

use super::single;
use crate::component::Fault;
use glob::{MatchOptions, Pattern, PatternError};
use std::path::{Component, Path, PathBuf};
use walkdir::WalkDir;

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The files in the order of their names, and whether the pattern leads out of the folder.
pub fn matches(folder: &Path, pattern: &str) -> Result<(Vec<PathBuf>, bool), Fault> {
    let pattern = match Path::new(pattern).strip_prefix(folder) {
        Ok(inside) => inside.to_string_lossy().into_owned(),
        Err(_) => pattern.to_owned(),
    };
    if Path::new(&pattern).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Ok((Vec::new(), true));
    }
    let refused = |problem: PatternError| Fault::new(format!("`{pattern}` is not a file pattern: {problem}"));
    let mut files = Vec::new();
    for entry in entries(folder, &pattern, &refused)? {
        files.extend(inside(folder, &entry)?);
    }
    files.sort();
    files.dedup();
    Ok((files, false))
}

/// What the pattern names, but for folders.
fn entries(folder: &Path, pattern: &str, refused: &impl Fn(PatternError) -> Fault) -> Result<Vec<PathBuf>, Fault> {
    let parts: Vec<&str> = pattern.split('/').collect();
    let Some(at) = parts.iter().position(|part| *part == "**") else {
        let found = named(folder, pattern).map_err(refused)?;
        return Ok(found.into_iter().filter(|entry| !entry.is_dir()).collect());
    };
    let (outer, inner) = (parts[..at].join("/"), parts[at..].join("/"));
    let inner = Pattern::new(&inner).map_err(refused)?;
    let mut entries = Vec::new();
    for top in named(folder, &outer).map_err(refused)?.iter().filter(|entry| entry.is_dir()) {
        entries.extend(below(&inside(folder, top)?.unwrap_or_default(), &inner));
    }
    Ok(entries)
}

/// What a pattern without `**` names.
fn named(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, PatternError> {
    if pattern.is_empty() {
        return Ok(vec![folder.to_owned()]);
    }
    let root = Pattern::escape(&folder.to_string_lossy());
    Ok(glob::glob_with(&format!("{root}/{pattern}"), OPTIONS)?.flatten().collect())
}

/// What a pattern that begins with `**` names below a folder. Hidden entries are for a pattern that names one.
fn below(top: &Path, pattern: &Pattern) -> Vec<PathBuf> {
    let names_hidden = pattern.as_str().split('/').any(|part| part.starts_with('.'));
    let is_looked_at = |entry: &walkdir::DirEntry| {
        names_hidden || entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let entries = WalkDir::new(top).into_iter().filter_entry(is_looked_at).filter_map(Result::ok);
    let entries = entries.map(walkdir::DirEntry::into_path);
    let is_named = |entry: &PathBuf| {
        let inside = entry.strip_prefix(top).expect("it was found there");
        pattern.matches_path_with(inside, OPTIONS) && !entry.is_dir()
    };
    entries.filter(is_named).collect()
}

/// An entry without links.
fn inside(folder: &Path, entry: &Path) -> Result<Option<PathBuf>, Fault> {
    let (found, outside) = single(folder, &entry.to_string_lossy());
    if outside {
        let shown = entry.strip_prefix(folder).unwrap_or(entry).display();
        let message = format!("`{shown}` leads out of the readable folder");
        return Err(Fault::new(message).hint("remove the link, or make its target readable"));
    }
    Ok(found.into_iter().next())
}
