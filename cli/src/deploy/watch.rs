//! Watches pipelines on disk. What the system reports is only a bell: then all files are looked at, and those count that
//! differ from the last look.

use crate::deploy::files::pipelines_at;
use crate::failure::Failure;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::pipeline::formats::Format;
use tidemill_model::version::sha256;
use tokio::sync::Notify;

/// An editor writes a file in several steps; this long nothing may happen before it is read.
const QUIET: Duration = Duration::from_millis(150);
/// The longest wait for quiet.
const PATIENCE: Duration = Duration::from_secs(2);

/// Files and folders that are watched.
pub struct Watch {
    paths: Vec<PathBuf>,
    /// The content of each file at the last look, by its sha256.
    seen: BTreeMap<PathBuf, String>,
    bell: Arc<Notify>,
    /// It rings the bell while it lives.
    _watcher: RecommendedWatcher,
}

/// What happened to the files since the last look.
#[derive(Default, Debug, PartialEq)]
pub struct Difference {
    /// New, or with another content.
    pub changed: Vec<PathBuf>,
    pub removed: Vec<PathBuf>,
}

impl Watch {
    /// Begins to watch.
    pub fn new(paths: &[PathBuf]) -> Result<Watch, Failure> {
        let bell = Arc::new(Notify::new());
        // Events have absolute paths.
        let absolute = |path: &PathBuf| {
            let folder = folder_of(path);
            folder.canonicalize().map_err(|error| Failure::file("watch", &folder, &error))
        };
        let roots = paths.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
        let (ringing, known) = (bell.clone(), roots.clone());
        let rung = move |event: notify::Result<Event>| {
            // An event that could not be read may have been any.
            if event.map_or(true, |event| concerns(&event, &known)) {
                ringing.notify_one();
            }
        };
        let mut watcher = notify::recommended_watcher(rung).map_err(|error| refused(&error))?;
        for (path, root) in paths.iter().zip(&roots) {
            // An editor may put another file in a file's place, so its folder is watched.
            let mode = if path.is_dir() { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            watcher.watch(root, mode).map_err(|error| refused(&error))?;
        }
        let mut watch = Watch { paths: paths.to_owned(), seen: BTreeMap::new(), bell, _watcher: watcher };
        watch.look();
        Ok(watch)
    }

    /// Waits until something has happened and it is quiet again, and compares.
    pub async fn next(&mut self) -> Difference {
        self.bell.notified().await;
        let quiet = async { while tokio::time::timeout(QUIET, self.bell.notified()).await.is_ok() {} };
        // A folder in which something is always written is looked at all the same.
        _ = tokio::time::timeout(PATIENCE, quiet).await;
        self.look()
    }

    /// Looks at every file, and remembers it.
    fn look(&mut self) -> Difference {
        let mut files: Vec<PathBuf> =
            self.paths.iter().flat_map(|path| pipelines_at(path).unwrap_or_default()).collect();
        // One that was a pipeline before and is broken now is still meant.
        files.extend(self.seen.keys().cloned());
        files.sort();
        files.dedup();
        let mut difference = Difference::default();
        for file in files {
            match (std::fs::read(&file), self.seen.get(&file)) {
                (Ok(content), before) => {
                    let content = sha256(&content);
                    if before != Some(&content) {
                        self.seen.insert(file.clone(), content);
                        difference.changed.push(file);
                    }
                }
                (Err(_), Some(_)) => {
                    self.seen.remove(&file);
                    difference.removed.push(file);
                }
                (Err(_), None) => {}
            }
        }
        difference
    }
}

fn refused(error: &notify::Error) -> Failure {
    Failure::new("file", format!("cannot watch the files: {error}")).hint("start without `--watch`")
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        _ if path.is_dir() => path.to_owned(),
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether an event may be of a pipeline: not of a read, not of a hidden folder, where a plane keeps its data, and not of
/// another kind of file.
fn concerns(event: &Event, roots: &[PathBuf]) -> bool {
    if matches!(event.kind, EventKind::Access(_)) {
        return false;
    }
    let of_pipeline = |path: &PathBuf| {
        let below = roots.iter().find_map(|root| path.strip_prefix(root).ok()).unwrap_or(path);
        let is_hidden = below.components().any(|step| {
            let step = step.as_os_str().to_string_lossy();
            step.starts_with('.') && step != "." && step != ".."
        });
        // What has no extension may be a folder that was moved.
        !is_hidden && (Format::of_file(path).is_some() || path.extension().is_none())
    };
    event.paths.is_empty() || event.paths.iter().any(of_pipeline)
}
