//! The place of a file that a run writes, and files that are their user's alone.

use super::{OTHER_NAME, is_note};
use crate::component::Fault;
use crate::context::Folders;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf};

/// The place of a file to write inside the writable folder; makes the folders on the way.
pub fn writable(folders: &Folders, path: &str) -> Result<PathBuf, Fault> {
    let root = &folders.writable;
    let fail = |problem: io::Error| Fault::new(format!("file `{path}` cannot be written: {problem}"));
    let refuse = || {
        Fault::new(format!("`{path}` is outside of the writable folder"))
            .hint("files are written to the plane's own folder; give a relative path")
    };
    private_folder().recursive(true).create(root).map_err(fail)?;
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
        match private_folder().create(&folder) {
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

/// How a file is opened that is its user's alone when it is made, whatever the umask.
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// How such a folder is made.
fn private_folder() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::super::check_path;
    use super::super::readable;
    use super::super::tests::world;
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

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

    #[test]
    fn what_a_run_writes_is_its_user_s_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (_world, folders) = world();
        let file = writable(&folders, "x/y.txt").unwrap();
        private_file().write(true).create(true).truncate(true).open(&file).unwrap();

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap()), mode(&folders.writable)), (0o600, 0o700, 0o700));
    }
}
