//! Keeps file components inside the operator's folders: no `..`, no link that leads out, no devices.

use crate::component::Fault;
use crate::context::Folders;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};
use tidemill_plan::TextProblem;

/// The characters that make a path a pattern.
const GLOB: [char; 3] = ['*', '?', '['];

const OTHER_NAME: &str = "give the file a name that does not end in `.tidemill`";

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
        let (found, outside) = if is_glob { matches(&folder, path)? } else { single(&folder, path) };
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
        let hint = "it holds keys and the table; of the data folder only what lies in `files` can be read";
        return Err(Fault::new(format!("`{path}` belongs to the plane itself")).hint(hint));
    }
    Ok(found)
}

/// Only the local plane has folders, and who sees a run's errors there is its user.
fn where_to_look(readable: &[PathBuf]) -> String {
    let names: Vec<_> = readable.iter().map(|folder| format!("`{}`", folder.display())).collect();
    match names.as_slice() {
        [] => "no folder is readable; allow one by `tidemill dev --allow-files DIR`".to_owned(),
        _ => format!(
            "files below {} are readable; allow another folder by `tidemill dev --allow-files DIR`",
            names.join(", ")
        ),
    }
}

fn single(folder: &Path, path: &str) -> (Vec<PathBuf>, bool) {
    match folder.join(path).canonicalize() {
        Ok(file) if file.starts_with(folder) => (vec![file], false),
        Ok(_) => (Vec::new(), true),
        Err(_) => (Vec::new(), false),
    }
}

fn matches(folder: &Path, pattern: &str) -> Result<(Vec<PathBuf>, bool), Fault> {
    let pattern = match Path::new(pattern).strip_prefix(folder) {
        Ok(inside) => inside.to_string_lossy().into_owned(),
        Err(_) => pattern.to_owned(),
    };
    if Path::new(&pattern).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Ok((Vec::new(), true));
    }
    let root = glob::Pattern::escape(&folder.to_string_lossy());
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
    let entries = glob::glob_with(&format!("{root}/{pattern}"), options)
        .map_err(|problem| Fault::new(format!("`{pattern}` is not a file pattern: {problem}")))?;
    let mut files = Vec::new();
    for entry in entries.flatten().filter(|entry| !entry.is_dir()) {
        let (found, outside) = single(folder, &entry.to_string_lossy());
        if outside {
            let shown = entry.strip_prefix(folder).unwrap_or(&entry).display();
            let message = format!("`{shown}` leads out of the readable folder");
            return Err(Fault::new(message).hint("remove the link, or make its target readable"));
        }
        files.extend(found);
    }
    files.sort();
    files.dedup();
    Ok((files, false))
}

/// Whether a file's name is one under which the plane keeps what it knows of another file: `.NAME.tidemill`.
fn is_note(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') && (name.ends_with(".tidemill") || name.ends_with(".tidemill.new"))
}

/// Says what is wrong with a path to write, wherever the writable folder is.
pub fn check_path(path: &str) -> Result<(), TextProblem> {
    let hint = "give a relative path without `..`; files are written to the plane's own folder";
    if goes_up(path) {
        return Err(problem("leads out of its folder", hint));
    }
    if Path::new(path).is_absolute() {
        return Err(problem("is an absolute path", hint));
    }
    if Path::new(path).file_name().is_some_and(is_note) {
        return Err(problem("is a name that the plane keeps for itself", OTHER_NAME));
    }
    match Path::new(path).file_name().is_none() || path.ends_with('/') {
        true => Err(problem("names no file", "name a file in the plane's folder, e.g. `reports/today.ndjson`")),
        false => Ok(()),
    }
}

/// Says what is wrong with a path or a pattern to read, wherever the readable folders are. They may be named in full.
pub fn check_pattern(path: &str) -> Result<(), TextProblem> {
    let is_pattern = path.contains(GLOB);
    if is_pattern && let Err(error) = glob::Pattern::new(path) {
        let hint = "write `*`, `**/` and `[abc]`, and `[*]` for the character itself";
        let refused = problem(format!("is not a file pattern: {}", error.msg), hint);
        return Err(TextProblem { offset: Some(error.pos), ..refused });
    }
    match climbs(path) || is_pattern && goes_up(path) {
        true => {
            let hint = "give a path below a folder that was named when the plane was started";
            Err(problem("leads out of its folder", hint))
        }
        false => Ok(()),
    }
}

/// Says what is wrong with a path or a pattern to read from these folders, whatever is in them by the time of a run.
pub fn check_place(path: &str, readable: &[PathBuf]) -> Result<(), TextProblem> {
    let what = match Path::new(path).is_absolute() {
        _ if readable.is_empty() => "cannot be read",
        true if !readable.iter().any(|folder| is_below(folder, path)) => "is outside of the readable folders",
        _ => return Ok(()),
    };
    Err(problem(what, &where_to_look(readable)))
}

/// Whether a path that is named in full may come to name a file of a folder. As in a run, a pattern begins with the
/// folder itself, and links lead to where they point.
fn is_below(folder: &Path, path: &str) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    let is_there = || !single(&folder, path).0.is_empty();
    match path.contains(GLOB) {
        true => Path::new(path).starts_with(&folder) || is_there(),
        false => resolved(Path::new(path)).starts_with(&folder),
    }
}

/// The path as far as it is there without links; what is missing may be made before a run.
fn resolved(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|outer| Some((outer, outer.canonicalize().ok()?)));
    let Some((outer, mut resolved)) = there else { return path.to_owned() };
    for part in path.strip_prefix(outer).into_iter().flat_map(Path::components) {
        match part {
            Component::ParentDir => _ = resolved.pop(),
            part => resolved.push(part),
        }
    }
    resolved
}

/// Whether a path has a `..`, wherever it leads.
fn goes_up(path: &str) -> bool {
    Path::new(path).components().any(|part| part == Component::ParentDir)
}

/// Whether a `..` leads above the start of a path.
fn climbs(path: &str) -> bool {
    let mut depth = 0i64;
    Path::new(path).components().any(|part| {
        depth += match part {
            Component::ParentDir => -1,
            Component::Normal(_) => 1,
            _ => 0,
        };
        depth < 0
    })
}

fn problem(message: impl Into<String>, hint: &str) -> TextProblem {
    TextProblem { message: message.into(), hint: hint.to_owned(), offset: None }
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

/// The place of a file to write inside the writable folder; makes the folders on the way.
pub fn writable(folders: &Folders, path: &str) -> Result<PathBuf, Fault> {
    let root = &folders.writable;
    let fail = |problem: io::Error| Fault::new(format!("file `{path}` cannot be written: {problem}"));
    let refuse = || {
        Fault::new(format!("`{path}` is outside of the writable folder"))
            .hint("files are written to the plane's own folder; give a relative path")
    };
    std::fs::create_dir_all(root).map_err(fail)?;
    let root = root.canonicalize().map_err(fail)?;
    let wanted = Path::new(path);
    let inside = wanted.strip_prefix(&root).or_else(|_| wanted.strip_prefix(&folders.writable)).unwrap_or(wanted);
    let normal = inside.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let name = inside.file_name().filter(|_| normal && !path.ends_with('/')).ok_or_else(refuse)?;
    if is_note(name) {
        return Err(Fault::new(format!("`{path}` is a name that the plane keeps for itself")).hint(OTHER_NAME));
    }
    // Each folder is checked before the next is made in it, because it may be a link.
    let mut folder = root.clone();
    for part in inside.parent().into_iter().flat_map(Path::components) {
        folder.push(part);
        match std::fs::create_dir(&folder) {
            Err(problem) if problem.kind() != io::ErrorKind::AlreadyExists => return Err(fail(problem)),
            _ => folder = folder.canonicalize().map_err(fail)?,
        }
        if !folder.starts_with(&root) {
            return Err(refuse());
        }
    }
    let file = folder.join(name);
    match std::fs::symlink_metadata(&file) {
        Ok(metadata) if !metadata.is_file() => {
            Err(Fault::new(format!("`{path}` is not a regular file")).hint("links and folders are not written to"))
        }
        _ => Ok(file),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn world() -> (tempfile::TempDir, Folders) {
        let world = tempfile::tempdir().unwrap();
        fs::create_dir_all(world.path().join("in/sub")).unwrap();
        fs::write(world.path().join("in/a.txt"), "a").unwrap();
        fs::write(world.path().join("in/sub/b.txt"), "b").unwrap();
        fs::write(world.path().join("secret.txt"), "s").unwrap();
        symlink(world.path().join("secret.txt"), world.path().join("in/link.txt")).unwrap();
        let folders =
            Folders { readable: vec![world.path().join("in")], writable: world.path().join("out"), private: None };
        (world, folders)
    }

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
    fn nothing_of_the_plane_itself_can_be_read_or_written_over() {
        let (world, mut folders) = world();
        let data = world.path().join("in/.data");
        fs::create_dir_all(data.join("files")).unwrap();
        for name in ["key", "table.db", "files/out.txt"] {
            fs::write(data.join(name), "k").unwrap();
        }
        symlink(data.join("key"), world.path().join("in/sub/c.txt")).unwrap();
        (folders.private, folders.writable) = (Some(data.clone()), data.join("files"));

        for path in [".data/key", ".data/*.db", "sub/c.txt", "sub/../.data/key", data.join("key").to_str().unwrap()] {
            let message = readable(&folders, path).unwrap_err().message;
            assert!(message.contains("belongs to the plane itself"), "{path}: {message}");
        }
        assert_eq!(readable(&folders, "sub/*.txt").unwrap().1.len(), 1, "b.txt, and not the link");
        assert_eq!(readable(&folders, ".data/files/out.txt").unwrap().1.len(), 1);
        for path in [".out.txt.tidemill", "sub/.out.txt.tidemill.new"] {
            assert!(check_path(path).unwrap_err().message.contains("keeps for itself"), "{path}");
            assert!(writable(&folders, path).unwrap_err().message.contains("keeps for itself"), "{path}");
        }
        assert!(check_path("out.tidemill").is_ok());
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
    fn a_path_that_cannot_lie_in_a_readable_folder_is_refused_before_a_run() {
        let (world, folders) = world();
        let outer = world.path().canonicalize().unwrap();
        symlink(outer.join("in"), outer.join("to_in")).unwrap();
        let refused = |path: &str| {
            let path = path.replace("WORLD", outer.to_str().unwrap());
            check_place(&path, &folders.readable).err().map(|problem| (problem.message, problem.hint))
        };

        for inside in [
            "a.txt",
            "not/made/yet.txt",
            "**/*.txt",
            "WORLD/in/a.txt",
            "WORLD/in/not/made/yet.txt",
            "WORLD/in/sub/../**/*.txt",
            "WORLD/in/sub/../a.txt",
            "WORLD/to_in/a.txt",
        ] {
            assert_eq!(refused(inside), None, "{inside}");
        }
        for outside in [
            "/etc/passwd",
            "WORLD/secret.txt",
            "WORLD/in/link.txt",
            "WORLD/in/../secret.txt",
            "WORLD/in/not/../../made.txt",
            "WORLD/into/a.txt",
            "WORLD/*/a.txt",
            "/var/log/*.log",
        ] {
            let (message, hint) = refused(outside).unwrap_or_else(|| panic!("{outside}"));
            assert_eq!(message, "is outside of the readable folders");
            assert!(
                hint.contains("in` are readable; allow another folder by `tidemill dev --allow-files DIR`"),
                "{hint}"
            );
        }
        let nowhere = check_place("a.txt", &[]).unwrap_err();
        assert_eq!(nowhere.message, "cannot be read");
        assert_eq!(nowhere.hint, "no folder is readable; allow one by `tidemill dev --allow-files DIR`");
    }

    #[test]
    fn special_files_are_refused() {
        let (_world, folders) = world();

        let (folder, files) = readable(&folders, "sub").unwrap();

        assert!(open(&folder, &files[0]).unwrap_err().message.contains("is not a regular file"));
    }

    #[test]
    fn nothing_outside_can_be_written() {
        let (world, folders) = world();
        writable(&folders, "x/y.txt").unwrap();
        symlink(world.path(), folders.writable.join("up")).unwrap();
        symlink(world.path().join("secret.txt"), folders.writable.join("to.txt")).unwrap();

        for path in ["../z.txt", "/tmp/z.txt", "up/z.txt", "x/../../z.txt", "", "x/", "to.txt", "x", "."] {
            assert!(writable(&folders, path).is_err(), "{path}");
        }
        assert!(!world.path().join("z.txt").exists());
    }
}
