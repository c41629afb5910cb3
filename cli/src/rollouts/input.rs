//! The request for a rollout: the pipelines of some files, and their group.

use crate::api::client;
use crate::api::views::Detail;
use crate::deploy::files::{PreparedPipeline, pipelines_at, prepare};
use crate::deploy::settings::Settings;
use crate::failure::{Exit, Failure};
use crate::output::table::{counted, plain};
use crate::session::Session;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use tidemill_model::git::Git;
use tidemill_model::ids::GroupName;
use tidemill_model::rollout::Gone;

/// The body of a rollout's request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutInput<'a> {
    /// `None` is that of the only pipeline's project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    pub pipelines: Vec<Pipeline<'a>>,
    pub gone: Gone,
    /// The pipelines are not all that there is of the group.
    pub partial: bool,
    pub create_only: bool,
    pub paused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
}

impl RolloutInput<'_> {
    pub fn body(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }
}

/// A pipeline as it stands in its file, to the byte, with its settings.
#[derive(Serialize)]
pub struct Pipeline<'a> {
    pipeline: &'a RawValue,
    #[serde(flatten)]
    settings: &'a Settings,
}

impl<'a> From<&'a PreparedPipeline> for Pipeline<'a> {
    fn from(prepared: &'a PreparedPipeline) -> Pipeline<'a> {
        Pipeline { pipeline: &prepared.pipeline, settings: &prepared.settings }
    }
}

/// The files and folders of the command line.
pub enum Paths {
    /// One file.
    File(PathBuf),
    /// A whole group.
    Folder(PathBuf),
    /// Some files, and the files of some folders.
    Several(Vec<PathBuf>),
}

impl Paths {
    pub fn new(paths: Vec<PathBuf>) -> Paths {
        let mut paths = once(paths);
        match (paths.pop(), paths.is_empty()) {
            (Some(only), true) if only.is_dir() => Paths::Folder(only),
            (Some(only), true) => Paths::File(only),
            (last, _) => Paths::Several(paths.into_iter().chain(last).collect()),
        }
    }

    pub fn is_folder(&self) -> bool {
        matches!(self, Paths::Folder(_))
    }

    fn paths(&self) -> &[PathBuf] {
        match self {
            Paths::File(path) | Paths::Folder(path) => std::slice::from_ref(path),
            Paths::Several(paths) => paths,
        }
    }

    /// The folder that everything is in.
    pub fn home(&self) -> PathBuf {
        let folder_of = |path: &PathBuf| {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            let folder = if path.is_dir() { Some(path.as_path()) } else { path.parent() };
            folder.filter(|folder| *folder != Path::new("")).unwrap_or(Path::new(".")).to_owned()
        };
        let common = |a: PathBuf, b: PathBuf| a.ancestors().find(|folder| b.starts_with(folder)).map(Path::to_owned);
        let mut folders = self.paths().iter().map(folder_of);
        let first = folders.next().unwrap_or_default();
        folders.try_fold(first, common).unwrap_or_default()
    }

    /// The group that they are rolled out in: the one that is named, else a single file has its own, and everything else
    /// is of the folder that it is in.
    pub fn group(&self, given: Option<&str>) -> Result<Option<GroupName>, Failure> {
        let home = self.home();
        let name = match (given, self, home.file_name()) {
            (Some(name), ..) => name.to_owned(),
            (None, Paths::File(_), _) => return Ok(None),
            (None, _, Some(name)) => name.to_string_lossy().into_owned(),
            (None, _, None) => {
                let message = format!("`{}` has no name to call the group by", home.display());
                return Err(Failure::argument(message, "name it with `--group`"));
            }
        };
        client::Path::new(&["groups", &name]).check()?;
        Ok(Some(GroupName::parse(&*name)?))
    }

    /// Reads every file; of several that cannot be read, all but the last are reported here.
    pub fn prepared(&self, session: &Session, settings: &Settings) -> Result<Vec<PreparedPipeline>, Failure> {
        let mut files = Vec::new();
        for path in self.paths() {
            files.extend(pipelines_at(path)?);
        }
        let files = once(files);
        let (mut prepared, mut failures) = (Vec::new(), Vec::new());
        for file in &files {
            match prepare(file, settings) {
                Ok(one) => prepared.push(one),
                Err(failure) => failures.push(failure),
            }
        }
        match (failures.pop(), prepared.is_empty()) {
            (Some(last), _) => {
                failures.iter().for_each(|failure| session.output.failure(failure));
                Err(last)
            }
            (None, true) => Err(Failure::new("not_found", "there is no pipeline in what was named")
                .hint("pipelines are in `*.pipe`, `*.json`, `*.jsonc`, `*.yaml` and `*.yml`; `tidemill remove --group` takes all of a group off")
                .exit(Exit::NotFound)),
            (None, false) => doubled(&prepared).map_or(Ok(prepared), Err),
        }
    }
}

/// A file that is named twice is taken once.
fn once(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    paths.into_iter().filter(|path| seen.insert(real(path))).collect()
}

/// Projects that several files are of.
fn doubled(prepared: &[PreparedPipeline]) -> Option<Failure> {
    let mut first: HashMap<&str, &PreparedPipeline> = HashMap::new();
    let mut details = Vec::new();
    for one in prepared.iter().filter(|one| !one.project.is_empty()) {
        if let Some(other) = first.get(one.project.as_str()) {
            let (project, a, b) = (plain(&one.project), other.file.display(), one.file.display());
            details.push(Detail::of(format!("the project `{project}` is in `{a}` and in `{b}`")));
        } else {
            first.insert(&one.project, one);
        }
    }
    let message = match details.as_slice() {
        [] => return None,
        [only] => only.message.clone(),
        several => format!("{} have the project of another file", counted(several.len(), "file")),
    };
    let failure = Failure { details, ..Failure::new("invalid_argument", message) };
    Some(failure.hint("give each pipeline its own `project_id`"))
}

/// Names the files that the plane knows by their place in the request.
pub fn by_file(mut failure: Failure, prepared: &[PreparedPipeline]) -> Failure {
    for detail in &mut failure.details {
        let place = detail.field.as_deref().and_then(place);
        let named = place.and_then(|(index, field)| Some((prepared.get(index)?, field.map(str::to_owned))));
        if let Some((one, field)) = named {
            *detail = of_file(one, field, detail.clone());
        }
    }
    failure
}

/// Names the file in place of the project, which the plane names.
fn of_file(one: &PreparedPipeline, field: Option<String>, mut detail: Detail) -> Detail {
    if let Some(message) = detail.message.strip_prefix(&format!("`{}`: ", one.project)) {
        detail.message = message.to_owned();
    }
    one.named(Detail { field, ..detail })
}

/// What the plane warns of beyond what was found here: it knows which secrets are set.
pub fn news(warnings: Vec<Detail>, prepared: &[PreparedPipeline]) -> Vec<Detail> {
    let mut news = Vec::new();
    for warning in warnings {
        let place = warning.field.as_deref().and_then(place);
        let Some((one, field)) =
            place.and_then(|(index, field)| Some((prepared.get(index)?, field.map(str::to_owned))))
        else {
            news.push(warning);
            continue;
        };
        let is_known = one.check().warnings.iter().any(|known| warning.message.ends_with(&known.message));
        if !is_known {
            news.push(of_file(one, field, warning));
        }
    }
    news
}

/// `pipelines[2].schedule` is the field `schedule` of the third.
fn place(field: &str) -> Option<(usize, Option<&str>)> {
    let (index, rest) = field.strip_prefix("pipelines[")?.split_once(']')?;
    Some((index.parse().ok()?, rest.strip_prefix('.')))
}
