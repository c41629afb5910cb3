//! Keeps file components inside the operator's folders: no `..`, no link that leads out, no devices, nothing of the plane
//! itself, nothing of another owner.

mod checks;
mod patterns;
mod reading;
mod writing;

pub use checks::{check_path, check_pattern, check_place};
pub use reading::{open, readable};
pub use writing::{private_file, writable};

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The characters that make a path a pattern.
const GLOB: [char; 3] = ['*', '?', '['];

const OTHER_NAME: &str = "give the file a name that does not end in `.tidemill`";

/// What to do with a path into the plane's own folder.
const NOT_PRIVATE: &str =
    "it holds keys and the table; of the data folder only your own files below `files` can be read";

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

/// The file that a path names below a folder, and whether it leads out of it.
fn single(folder: &Path, path: &str) -> (Vec<PathBuf>, bool) {
    match folder.join(path).canonicalize() {
        Ok(file) if file.starts_with(folder) => (vec![file], false),
        Ok(_) => (Vec::new(), true),
        Err(_) => (Vec::new(), false),
    }
}

/// Whether a file's name is one under which the plane keeps what it knows of another file: `.NAME.tidemill`.
fn is_note(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') && (name.ends_with(".tidemill") || name.ends_with(".tidemill.new"))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use crate::context::Folders;
    use std::fs;
    use std::os::unix::fs::symlink;

    pub fn world() -> (tempfile::TempDir, Folders) {
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
}
