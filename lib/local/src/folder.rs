//! The data folder: the table's file, the lock that keeps a second plane out, the key of the owner `dev`, the key
//! that secrets are sealed with, and the names of folders that stay readable. Only its user may read what is in it.

use crate::table::Table;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tidemill_operations::Entropy;

/// The file that names the folders that stay readable.
const READABLE: &str = "readable.json";

/// The folder that pipelines write to, and the file in it that says that each owner has a folder there.
const FILES: &str = "files";
const PARTED: &str = ".parted";

/// The owner that a plane begins with.
pub const FIRST_OWNER: &str = "dev";

/// Why a plane did not start: what happened, and what to do.
#[derive(Debug)]
pub struct StartError {
    message: String,
    hint: Option<String>,
}

impl StartError {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> StartError {
        StartError { message: message.into(), hint: Some(hint.into()) }
    }

    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StartError {}

impl From<tidemill_operations::Error> for StartError {
    fn from(error: tidemill_operations::Error) -> StartError {
        StartError { hint: error.hint.as_ref().map(ToString::to_string), message: error.with_causes() }
    }
}

impl From<tidemill_store::Error> for StartError {
    fn from(error: tidemill_store::Error) -> StartError {
        let hint = match error.is_damaged() {
            true => "restore `table.db` of the data folder from a backup",
            false => "look whether the data folder is whole and the disk has room",
        };
        StartError::new(error.to_string(), hint)
    }
}

/// A data folder that exists.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder where it is missing. A new one keeps itself out of git; where other files are, `.gitignore` is
    /// the user's.
    pub fn open(path: &Path) -> Result<Folder, StartError> {
        private_folder(path)?;
        let folder = Folder(path.to_owned());
        folder.warn_of_loose_files();
        let is_new = fs::read_dir(path).map_err(|error| failed(path, "read", &error))?.next().is_none();
        if is_new {
            folder.write(".gitignore", b"*\n")?;
        }
        Ok(folder)
    }

    /// Keeps other planes out for as long as the file is held; the lock ends with the process, however it ends.
    pub fn lock(&self) -> Result<File, StartError> {
        let path = self.0.join("lock");
        let file = private(OpenOptions::new().create(true).truncate(false)).open(&path);
        let file = file.map_err(|error| failed(&path, "opened", &error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(StartError::new(
                format!("a plane is running on the data folder `{}` already", self.0.display()),
                "use that one, stop it, or give another folder with `--data`",
            )),
            Err(fs::TryLockError::Error(error)) => Err(failed(&path, "locked", &error)),
        }
    }

    pub fn table(&self) -> Result<Table, StartError> {
        let path = self.0.join("table.db");
        let has_table = fs::metadata(&path).is_ok_and(|table| table.len() > 0);
        if !has_table && self.0.join("key").exists() {
            return Err(StartError::new(
                format!("the table `{}` is gone or empty, but the key of its owner is there", path.display()),
                "restore the table from a backup; to begin anew, move the data folder away",
            ));
        }
        let text = path.to_str().ok_or_else(|| {
            StartError::new("the data folder's path is not UTF-8", "give another folder with `--data`")
        })?;
        // Made here so that the file is private from its first byte.
        private(OpenOptions::new().create(true).truncate(false))
            .open(&path)
            .map_err(|error| failed(&path, "opened", &error))?;
        Table::open(text).map_err(|error| {
            let hint = "if it was made by a newer version, use that one; else restore the folder from a backup";
            StartError::new(format!("the table in `{}` cannot be opened: {error}", path.display()), hint)
        })
    }

    /// Where file sinks write, each owner in a folder of its own.
    pub fn files(&self) -> Result<PathBuf, StartError> {
        let path = self.0.join(FILES);
        self.part_by_owner(&path)?;
        fs::canonicalize(&path).map_err(|error| failed(&path, "found", &error))
    }

    /// Makes the folder. What an earlier version wrote there without a folder for its owner becomes the owner `dev`'s. It may
    /// be interrupted anywhere: the mark says that the folder is parted, and stands in it before anything else.
    fn part_by_owner(&self, files: &Path) -> Result<(), StartError> {
        let (mark, earlier, dev) = (files.join(PARTED), self.0.join(".files.earlier"), files.join(FIRST_OWNER));
        if !mark.exists() {
            if files.exists() && !earlier.exists() {
                fs::rename(files, &earlier).map_err(|error| failed(files, "moved", &error))?;
            }
            private_folder(files)?;
            let marked = private(OpenOptions::new().create(true).truncate(false)).open(&mark);
            marked.map_err(|error| failed(&mark, "written", &error))?;
        }
        if earlier.exists() {
            fs::rename(&earlier, &dev).map_err(|error| failed(&dev, "made", &error))?;
            tracing::info!(
                "each owner has a folder for its files now; those that were there are in `{}`",
                dev.display()
            );
        }
        Ok(())
    }

    /// The folders that earlier starts made readable for good; notes those of this one with them. The file is a JSON list
    /// of paths, for the user to shorten.
    pub fn readable(&self, more: &[PathBuf]) -> Result<Vec<PathBuf>, StartError> {
        let path = self.0.join(READABLE);
        let before: Vec<PathBuf> = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                StartError::new(
                    format!("`{}` is not a list of folders: {error}", path.display()),
                    "correct it, or remove it",
                )
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(&path, "read", &error)),
        };
        // A path that is not UTF-8 cannot be noted.
        let new = more.iter().filter(|path| !before.contains(path) && path.to_str().is_some());
        let all: Vec<_> = before.iter().chain(new).collect();
        if all.len() > before.len() {
            let text = serde_json::to_vec_pretty(&all).expect("the paths are UTF-8");
            self.write(READABLE, &text)?;
        }
        Ok(before)
    }

    /// The key that secrets are sealed with; made on the first call.
    pub fn secrets_key(&self, entropy: &dyn Entropy) -> Result<[u8; 32], StartError> {
        let path = self.0.join("secrets.key");
        match fs::read(&path) {
            Ok(bytes) => bytes.try_into().map_err(|_| {
                StartError::new(format!("`{}` is not a key of 32 bytes", path.display()), "restore it from a backup")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = [0; 32];
                entropy.fill(&mut key);
                self.write("secrets.key", &key)?;
                Ok(key)
            }
            Err(error) => Err(failed(&path, "read", &error)),
        }
    }

    /// Refuses a table without anything in it beside the key of an owner: a key is written after its record.
    pub fn must_not_be_emptied(&self, is_empty: bool) -> Result<(), StartError> {
        if !is_empty || !self.0.join("key").exists() {
            return Ok(());
        }
        let table = self.0.join("table.db");
        Err(StartError::new(
            format!("the table `{}` has been emptied, but the key of its owner is there", table.display()),
            "restore the table from a backup; to begin anew, move the data folder away",
        ))
    }

    /// The key of the owner `dev`, if there is one.
    pub fn dev_key(&self) -> Option<String> {
        let text = fs::read_to_string(self.0.join("key")).ok()?;
        Some(text.trim().to_owned())
    }

    pub fn write_dev_key(&self, key: &str) -> Result<(), StartError> {
        self.write("key", format!("{key}\n").as_bytes())
    }

    /// Says that others may read a key or the table. Files are made private; these may have been copied or changed.
    fn warn_of_loose_files(&self) {
        for (name, then) in
            [("key", ", and make a new key"), ("secrets.key", ", and set the secrets anew"), ("table.db", "")]
        {
            let path = self.0.join(name);
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if metadata.permissions().mode() & 0o077 != 0 {
                let path = path.display();
                tracing::warn!("other users of this machine may read `{path}`; run `chmod 600 {path}`{then}");
            }
        }
    }

    /// Writes a private file so that it is there whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StartError> {
        let (path, draft) = (self.0.join(name), self.0.join(format!(".{name}.new")));
        let written = private(OpenOptions::new().create(true).truncate(true)).open(&draft).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        });
        written.map_err(|error| failed(&path, "written", &error))
    }
}

/// Makes a folder that is its user's alone, whatever the umask. One that is there stays as its user has set it.
fn private_folder(path: &Path) -> Result<(), StartError> {
    if path.is_dir() {
        return Ok(());
    }
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| failed(path, "made", &error))
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.read(true).write(true).mode(0o600)
}

fn failed(path: &Path, done: &str, error: &io::Error) -> StartError {
    StartError::new(
        format!("`{}` cannot be {done}: {error}", path.display()),
        "check the folder's permissions and the room on its disk, or give another one with `--data`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_its_user_s_alone() {
        let outer = tempfile::tempdir().expect("a folder can be made");
        let data = outer.path().join("data");
        let folder = Folder::open(&data).expect("it can be made");
        folder.files().expect("it can be made");
        folder.write_dev_key("k").expect("it can be written");

        let mode = |name: &str| fs::metadata(data.join(name)).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode("."), mode("files"), mode("key")), (0o700, 0o700, 0o600));
    }

    #[test]
    fn what_an_earlier_version_wrote_becomes_the_first_owner_s() {
        let data = tempfile::tempdir().expect("a folder can be made");
        let folder = Folder::open(data.path()).expect("it is there");
        let at = |path: &str| data.path().join(path);
        fs::create_dir_all(at("files/dev")).expect("it can be made");
        fs::write(at("files/dev/a.txt"), "a").expect("it can be written");

        for interrupted in [false, true] {
            folder.files().expect("it is there");
            assert!(at("files/dev/dev/a.txt").exists(), "a folder of that name was a pipeline's");
            assert!(!at("files/dev/dev/dev").exists(), "once");
            // As if the plane had died before it moved the files back in.
            if !interrupted {
                fs::rename(at("files/dev"), at(".files.earlier")).expect("it can be moved");
            }
        }
        assert!(!at(".files.earlier").exists());
    }

    #[test]
    fn a_table_that_was_emptied_beside_its_key_is_told() {
        let data = tempfile::tempdir().expect("a folder can be made");
        let folder = Folder::open(data.path()).expect("it is there");
        folder.must_not_be_emptied(true).expect("nothing was there");
        folder.write_dev_key("k").expect("it can be written");

        folder.must_not_be_emptied(false).expect("the table has something");
        let refused = folder.must_not_be_emptied(true).expect_err("it is refused");
        assert!(refused.to_string().contains("has been emptied"), "{refused}");
    }

    #[test]
    fn a_table_that_is_gone_beside_its_key_is_not_made_anew() {
        let data = tempfile::tempdir().expect("a folder can be made");
        let folder = Folder::open(data.path()).expect("it is there");
        folder.table().expect("nothing is there yet");
        folder.write_dev_key("k").expect("it can be written");
        folder.table().expect("the table is there");

        for empty in [true, false] {
            match empty {
                true => File::create(data.path().join("table.db")).map(drop).expect("it can be emptied"),
                false => fs::remove_file(data.path().join("table.db")).expect("it can be removed"),
            }
            let refused = folder.table().expect_err("it is refused");
            assert!(refused.to_string().contains("is gone or empty"), "{refused}");
        }
        assert!(!data.path().join("table.db").exists(), "nothing is made");
    }

    #[test]
    fn folders_stay_readable_at_later_starts() {
        let data = tempfile::tempdir().expect("a folder can be made");
        let folder = || Folder::open(data.path()).expect("it is there");
        let one = [PathBuf::from("/one")];
        let both = [PathBuf::from("/one"), PathBuf::from("/other")];

        assert_eq!(folder().readable(&one).expect("nothing is noted yet"), Vec::<PathBuf>::new());
        assert_eq!(folder().readable(&both).expect("one was noted"), one);
        assert_eq!(folder().readable(&[]).expect("both were noted"), both);
        fs::write(data.path().join(READABLE), "{").expect("it is a file");
        assert!(folder().readable(&[]).expect_err("it is broken").to_string().contains("is not a list of folders"));
    }
}
