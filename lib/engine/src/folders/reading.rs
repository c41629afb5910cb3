//! The files that a path or a pattern names below the readable folders.

use super::{GLOB, NOT_PRIVATE, patterns, single, where_to_look};
use crate::component::Fault;
use crate::context::Folders;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The folder and the files in it that a path or a glob names, in the order of their names.
pub fn readable(folders: &Folders, path: &str) -> Result<(PathBuf, Vec<PathBuf>), Fault> {
    let is_glob = path.contains(GLOB);
    let mut escaped = false;
    // A name may hold what stands for others in a pattern.
    for folder in folders.readable.iter().filter(|_| is_glob).filter_map(|folder| folder.canonicalize().ok()) {
        if let (found, false) = single(&folder, path)
            && !found.is_empty()
        {
            return Ok((folder, without_private(folders, path, found)?));
        }
    }
    for folder in &folders.readable {
        let Ok(folder) = folder.canonicalize() else { continue };
        let (found, outside) = if is_glob { patterns::matches(&folder, path)? } else { single(&folder, path) };
        escaped |= outside;
        if outside {
            continue;
        }
        if !found.is_empty() {
            return Ok((folder, without_private(folders, path, found)?));
        }
    }
    if escaped {
        let message = format!("`{path}` is outside of the readable folders");
        return Err(Fault::new(message).hint(where_to_look(&folders.readable)));
    }
    if is_glob {
        return Ok((PathBuf::new(), Vec::new()));
    }
    Err(Fault::new(format!("file `{path}` is not found")).hint(where_to_look(&folders.readable)))
}

/// The files without those of the plane itself. A pattern passes over them, unless there is nothing else that it names.
fn without_private(folders: &Folders, path: &str, mut found: Vec<PathBuf>) -> Result<Vec<PathBuf>, Fault> {
    let Some(private) = folders.private.as_ref().and_then(|folder| folder.canonicalize().ok()) else {
        return Ok(found);
    };
    let writable = folders.writable.canonicalize().unwrap_or_else(|_| folders.writable.clone());
    found.retain(|file| !file.starts_with(&private) || file.starts_with(&writable));
    if found.is_empty() {
        return Err(Fault::new(format!("`{path}` belongs to the plane itself")).hint(NOT_PRIVATE));
    }
    Ok(found)
}

/// Opens a file that [`readable`] named; it must still be that file, and an ordinary one.
pub fn open(folder: &Path, file: &Path) -> Result<File, Fault> {
    let shown = file.strip_prefix(folder).unwrap_or(file).display();
    let fail = |problem: io::Error| Fault::new(format!("file `{shown}` cannot be read: {problem}"));
    // Asked before opening, because opening a pipe would wait for its other end.
    if !std::fs::metadata(file).map_err(fail)?.is_file() {
        return Err(Fault::new(format!("`{shown}` is not a regular file")));
    }
    let opened = File::open(file).map_err(fail)?;
    let now = file.canonicalize().and_then(|path| Ok((path.starts_with(folder), path.metadata()?))).map_err(fail)?;
    let metadata = opened.metadata().map_err(fail)?;
    if !now.0 || !metadata.is_file() || !is_same(&metadata, &now.1) {
        return Err(Fault::passing(format!("file `{shown}` changed while it was opened")));
    }
    Ok(opened)
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    a.len() == b.len()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::super::tests::world;
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn files_and_patterns_inside_are_found_in_order() {
        let (world, folders) = world();

        let (folder, files) = readable(&folders, "**/[ab].txt").unwrap();

        let names: Vec<_> = files.iter().map(|file| file.strip_prefix(&folder).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.txt", "sub/b.txt"]);
        assert_eq!(readable(&folders, "sub/../a.txt").unwrap().1.len(), 1);
        let absolute = world.path().canonicalize().unwrap().join("in/a.txt");
        assert_eq!(readable(&folders, absolute.to_str().unwrap()).unwrap().1, [absolute]);
    }

    #[test]
    fn a_recursive_pattern_does_not_follow_links_to_folders() {
        let (world, folders) = world();
        let inside = world.path().join("in");
        fs::create_dir_all(inside.join("sub/.hidden")).unwrap();
        fs::write(inside.join("sub/.hidden/h.txt"), "h").unwrap();
        fs::write(inside.join("sub/.h.txt"), "h").unwrap();
        fs::create_dir(world.path().join("outer")).unwrap();
        fs::write(world.path().join("outer/o.ndjson"), "o").unwrap();
        for (target, link) in [(".", "loop"), (".", "sub/loop"), ("../outer", "out"), ("sub", "other")] {
            symlink(target, inside.join(link)).unwrap();
        }
        let names = |pattern: &str| {
            let (folder, files) = readable(&folders, pattern).unwrap();
            let names = files.iter().map(|file| file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned());
            names.collect::<Vec<_>>()
        };

        assert_eq!(names("**/b.txt"), ["sub/b.txt"]);
        assert_eq!(names("**/sub/**/*.txt"), ["sub/b.txt"]);
        assert_eq!(names("s*/**/*"), ["sub/b.txt"]);
        assert_eq!(names("**/*.ndjson"), Vec::<String>::new());
        assert_eq!(names("sub/**/.h*"), ["sub/.h.txt"]);
        assert_eq!(names("other/**/b.txt"), ["sub/b.txt"], "a link that is named is followed inside the folder");
        assert!(readable(&folders, "out/**/*").unwrap_err().message.contains("leads out"));
    }

    #[test]
    fn nothing_outside_can_be_read() {
        let (world, folders) = world();
        let absolute = world.path().join("secret.txt");

        for path in [
            "../secret.txt",
            "link.txt",
            "*.txt",
            "../*.txt",
            "/etc/pass*",
            "sub/../../secret.txt",
            absolute.to_str().unwrap(),
        ] {
            let message = readable(&folders, path).unwrap_err().message;
            assert!(message.contains("out"), "{path}: {message}");
        }
        assert!(readable(&folders, "none.txt").unwrap_err().message.contains("is not found"));
    }

    #[test]
    fn special_files_are_refused() {
        let (_world, folders) = world();

        let (folder, files) = readable(&folders, "sub").unwrap();

        assert!(open(&folder, &files[0]).unwrap_err().message.contains("is not a regular file"));
    }
}
