//! What is wrong with a path, before any run.

use super::{GLOB, NOT_PRIVATE, OTHER_NAME, is_note, single, where_to_look};
use std::path::{Component, Path, PathBuf};
use tidemill_plan::{Private, Target, TextProblem};

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

/// Says what is wrong with a path or a pattern to read in a plane's folders, whatever is in them by the time of a run.
pub fn check_place(path: &str, target: &Target<'_>) -> Result<(), TextProblem> {
    let Some(readable) = target.readable else { return Ok(()) };
    if target.private.is_some_and(|private| readable.iter().any(|folder| is_private(folder, path, &private))) {
        return Err(problem("belongs to the plane itself", NOT_PRIVATE));
    }
    let what = match Path::new(path).is_absolute() {
        _ if readable.is_empty() => "cannot be read",
        true if !readable.iter().any(|folder| is_below(folder, path)) => "is outside of the readable folders",
        _ => return Ok(()),
    };
    Err(problem(what, &where_to_look(readable)))
}

/// Whether a path or all that a pattern can name lies in the plane's own folder, outside of what pipelines wrote there.
fn is_private(folder: &Path, path: &str, private: &Private<'_>) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let constant = parts.iter().take_while(|part| !part.contains(GLOB)).count();
    let (start, outputs) = (resolved(&folder.join(parts[..constant].join("/"))), resolved(private.outputs));
    let names_outputs = match outputs.strip_prefix(&start) {
        Ok(inside) => may_name_below(inside, &parts[constant..]),
        Err(_) => start.starts_with(&outputs),
    };
    start.starts_with(resolved(private.folder)) && !names_outputs
}

/// Whether the rest of a pattern may name something below a folder.
fn may_name_below(folder: &Path, pattern: &[&str]) -> bool {
    let mut pattern = pattern.iter();
    for name in folder.components() {
        match pattern.next() {
            Some(&"**") => return true,
            Some(part) if glob::Pattern::new(part).is_ok_and(|part| part.matches_path(Path::new(&name))) => {}
            _ => return false,
        }
    }
    pattern.next().is_some()
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

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::super::tests::world;
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_path_that_cannot_lie_in_a_readable_folder_is_refused_before_a_run() {
        let (world, folders) = world();
        let outer = world.path().canonicalize().unwrap();
        symlink(outer.join("in"), outer.join("to_in")).unwrap();
        let refused = |path: &str| {
            let path = path.replace("WORLD", outer.to_str().unwrap());
            check_place(&path, &Target { readable: Some(&folders.readable), ..Target::default() })
                .err()
                .map(|problem| (problem.message, problem.hint))
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
        let nowhere = check_place("a.txt", &Target { readable: Some(&[]), ..Target::default() }).unwrap_err();
        assert_eq!(nowhere.message, "cannot be read");
        assert_eq!(nowhere.hint, "no folder is readable; allow one by `tidemill dev --allow-files DIR`");
    }

    #[test]
    fn a_path_into_the_plane_s_own_folder_is_refused_before_a_run() {
        let (world, folders) = world();
        let data = world.path().join("in/.data");
        fs::create_dir_all(data.join("files/ana")).unwrap();
        fs::write(data.join("key"), "k").unwrap();
        symlink(".data", world.path().join("in/link")).unwrap();
        let (outputs, key) = (data.join("files"), data.join("key"));
        let private = Private { folder: &data, outputs: &outputs };
        let target = Target { readable: Some(&folders.readable), private: Some(private), ..Target::default() };

        for path in [".data/key", ".data/none", ".data/*.db", "sub/../.data/key", "link/key", key.to_str().unwrap()] {
            let refused = check_place(path, &target).unwrap_err();
            assert_eq!(refused.message, "belongs to the plane itself", "{path}");
        }
        for path in ["a.txt", "**/*", ".data/files/ana/out.txt", ".data/files/*/x", ".data/**/x", ".database"] {
            assert_eq!(check_place(path, &target), Ok(()), "{path}");
        }
    }
}
