//! What a caller defines a deployment by: a pipeline, a schedule, settings. Everything is checked here, before
//! anything changes.

use crate::error::{Code, Detail, Error, READ_AGAIN};
use crate::plane::{Call, Plane};
use crate::secret::unset::NamedSecrets;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tidemill_model::deployment::Settings;
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_model::invalid::Invalid;
use tidemill_model::pipeline::written::json_of;
use tidemill_model::pipeline::{Component, Pipeline, ProblemCode};
use tidemill_model::schedule::{Schedule, Zone};
use tidemill_model::version::{Version, sha256};
use tidemill_plan::{CompiledPipeline, Start, Target};

/// A pipeline that was checked, with its plan.
pub struct Definition {
    pub pipeline: Pipeline,
    pub compiled: CompiledPipeline,
}

/// The names of a stored pipeline and its plan.
pub struct BodyHashes {
    pub pipeline_sha256: String,
    pub plan_sha256: String,
}

impl Definition {
    /// Parses and compiles a pipeline; all that is wrong with it is reported at once.
    pub fn compile(plane: &Plane, pipeline: &RawValue, start: Start) -> Result<Definition, Error> {
        Definition::compile_for(pipeline, &Target { start, ..target(plane) })
    }

    /// Like [`Definition::compile`], for a version that there is: the folders that may be read may have changed since.
    pub fn compile_live(plane: &Plane, pipeline: &RawValue, start: Start) -> Result<Definition, Error> {
        Definition::compile_for(pipeline, &Target { start, readable: None, ..target(plane) })
    }

    /// Refuses a pipeline of another project.
    pub fn must_be_of(&self, project: &ProjectId) -> Result<(), Error> {
        let named = self.pipeline.project_id();
        if named == project {
            return Ok(());
        }
        Err(Invalid::new(
            "pipeline",
            format!("the pipeline's `project_id` is `{named}`, the request names project `{project}`"),
            "name the project that the pipeline names, or correct its `project_id`",
        )
        .into())
    }

    /// Like [`Definition::compile`], for a start at `source`, if one is named.
    pub fn compile_at(plane: &Plane, pipeline: &RawValue, source: Option<&str>) -> Result<Definition, Error> {
        Definition::compile_for(pipeline, &Target { source, ..target(plane) })
    }

    /// Like [`Definition::compile_live`], for runs that a schedule starts at `source`.
    pub fn compile_source(plane: &Plane, pipeline: &RawValue, source: &str) -> Result<Definition, Error> {
        let target = Target { start: Start::Schedule, source: Some(source), readable: None, ..target(plane) };
        Definition::compile_for(pipeline, &target)
    }

    /// Like [`Definition::compile`], for environments, which run each source by itself: a pipeline with several need
    /// not say where to start, but each of them must be able to run.
    pub fn compile_each(plane: &Plane, pipeline: &RawValue) -> Result<Definition, Error> {
        let target = target(plane);
        let catalogue = tidemill_engine::catalogue();
        let problems = match tidemill_plan::compile_text(pipeline.get(), catalogue, &target) {
            Ok((parsed, compiled)) => {
                let first = Definition { pipeline: parsed, compiled };
                if first.pipeline.source().is_none() {
                    Definition::of_sources(plane, &first.pipeline, pipeline)?;
                }
                return Ok(first);
            }
            Err(problems) => problems,
        };
        if problems.iter().any(|problem| problem.code != ProblemCode::AmbiguousSource) {
            return Err(Error::problems(problems));
        }
        let parsed = Pipeline::parse(pipeline.get()).map_err(Error::problems)?;
        let mut definitions = Definition::of_sources(plane, &parsed, pipeline)?;
        match definitions.is_empty() {
            true => Err(Error::problems(problems)),
            false => Ok(definitions.swap_remove(0)),
        }
    }

    /// One for each source.
    fn of_sources(plane: &Plane, parsed: &Pipeline, pipeline: &RawValue) -> Result<Vec<Definition>, Error> {
        let catalogue = tidemill_engine::catalogue();
        let is_source = |provider: &str| catalogue.get(provider).is_some_and(|provider| provider.is_source());
        let sources = parsed.components().iter().filter(|component| is_source(&component.provider));
        sources.map(|component| Definition::compile_at(plane, pipeline, Some(&component.id))).collect()
    }

    fn compile_for(pipeline: &RawValue, target: &Target) -> Result<Definition, Error> {
        let (pipeline, compiled) = tidemill_plan::compile_text(pipeline.get(), tidemill_engine::catalogue(), target)
            .map_err(Error::problems)?;
        Ok(Definition { pipeline, compiled })
    }

    pub fn sha256(&self) -> String {
        sha256(self.pipeline.text().as_bytes())
    }

    pub fn plan_sha256(&self) -> Result<String, Error> {
        Ok(sha256(&serde_json::to_vec(&self.compiled.plan).map_err(Error::internal)?))
    }

    pub fn warnings(&self) -> Vec<Detail> {
        self.compiled.warnings.iter().cloned().map(Detail::from).collect()
    }

    /// The warnings, with those of secrets that the owner has not set.
    pub async fn all_warnings(&self, plane: &Plane, owner: &OwnerId) -> Result<Vec<Detail>, Error> {
        let mut warnings = self.warnings();
        warnings.extend(self.unset_secrets(plane, owner, &mut BTreeMap::new()).await?);
        Ok(warnings)
    }

    /// A warning for each secret that a run needs and that is not set. `known` says of names whether they are.
    pub async fn unset_secrets(
        &self,
        plane: &Plane,
        owner: &OwnerId,
        known: &mut BTreeMap<String, bool>,
    ) -> Result<Vec<Detail>, Error> {
        let mut warnings = NamedSecrets::of_plan(&self.compiled.plan).warnings(plane, owner, known).await?;
        for warning in &mut warnings {
            let is_it = |component: &Component| Some(&component.id) == warning.component.as_ref();
            let at = self.pipeline.components().iter().position(is_it);
            warning.field = at.map(|at| format!("/components/{at}/config"));
        }
        Ok(warnings)
    }

    /// Stores the pipeline and its plan, and names them. What nothing comes to refer to does no harm.
    pub async fn store_bodies(&self, plane: &Plane, call: &Call, project: &ProjectId) -> Result<BodyHashes, Error> {
        let plan = serde_json::to_vec(&self.compiled.plan).map_err(Error::internal)?;
        let bodies = [self.pipeline.text().as_bytes(), &plan];
        let names = plane.store.put_bodies(&call.owner, project, &bodies).await?;
        let [pipeline_sha256, plan_sha256] = names.try_into().expect("two bodies have two names");
        Ok(BodyHashes { pipeline_sha256, plan_sha256 })
    }

    /// Stores the pipeline and its plan, and makes the version that names them.
    pub async fn store(
        &self,
        plane: &Plane,
        call: &Call,
        project: &ProjectId,
        number: u32,
        note: Option<String>,
    ) -> Result<Version, Error> {
        let BodyHashes { pipeline_sha256, plan_sha256 } = self.store_bodies(plane, call, project).await?;
        Ok(Version {
            owner: call.owner.clone(),
            project: project.clone(),
            number,
            name: self.pipeline.name().map(str::to_owned),
            sha256: pipeline_sha256,
            plan_sha256,
            bytes: self.pipeline.text().len() as u64,
            components: self.pipeline.components().len() as u32,
            created_at: call.now,
            created_by: call.key.clone(),
            note,
            rollout: None,
            git: None,
        })
    }
}

/// A plane, before it is known what starts the runs.
fn target(plane: &Plane) -> Target<'_> {
    let folders = plane.host.folders.as_ref();
    Target {
        local: plane.is_local(),
        readable: folders.map(|folders| folders.readable.as_slice()),
        private: folders.and_then(tidemill_engine::Folders::own),
        start: Start::Unknown,
        source: None,
    }
}

/// Reads a schedule and its time zone; what is absent is taken from `before`.
pub fn schedule(text: Option<&str>, zone: Option<&str>, before: &Schedule) -> Result<Schedule, Error> {
    let zone = zone.map(Zone::parse).transpose().map_err(|e| refused("timezone", e.to_string(), e.hint()))?;
    let schedule = match text {
        None => before.clone(),
        Some(text) => Schedule::parse(text).map_err(|e| refused("schedule", e.to_string(), e.hint()))?,
    };
    let zone = zone.unwrap_or_else(|| before.zone().clone());
    schedule.in_zone(zone).map_err(|e| refused("schedule", e.to_string(), e.hint()))
}

/// What starts the runs of a deployment with this schedule.
pub fn start_on(schedule: &Schedule) -> Start {
    if schedule.is_manual() { Start::Call } else { Start::Schedule }
}

fn refused(what: &'static str, message: String, hint: impl Into<String>) -> Error {
    Invalid::new(what, message, hint).into()
}

/// Settings that a caller gave, over those from before.
#[derive(Clone, Copy, Debug, Default)]
pub struct SettingsGiven {
    pub catch_up_seconds: Option<u32>,
    pub max_attempts: Option<u32>,
    pub timeout_seconds: Option<u32>,
}

impl SettingsGiven {
    pub fn over(self, before: Settings) -> Result<Settings, Error> {
        let settings = Settings {
            catch_up_seconds: self.catch_up_seconds.unwrap_or(before.catch_up_seconds),
            max_attempts: self.max_attempts.unwrap_or(before.max_attempts),
            timeout_seconds: self.timeout_seconds.unwrap_or(before.timeout_seconds),
        };
        Ok(settings.checked()?)
    }
}

/// Reads the stored pipeline of a version, as JSON.
pub async fn stored_pipeline(
    plane: &Plane,
    owner: &OwnerId,
    project: &ProjectId,
    sha256: &str,
) -> Result<Box<RawValue>, Error> {
    Ok(stored(plane, owner, project, sha256).await?.json)
}

/// A pipeline as it is stored.
pub struct StoredPipeline {
    /// As it was sent, unless its text is in another format.
    pub json: Box<RawValue>,
    /// The text as it was sent, if it is in another format than JSON.
    pub text: Option<Box<RawValue>>,
}

/// Reads the stored pipeline of a version.
pub async fn stored(
    plane: &Plane,
    owner: &OwnerId,
    project: &ProjectId,
    sha256: &str,
) -> Result<StoredPipeline, Error> {
    pipeline_of(plane.store.body(owner, project, sha256).await?, sha256)
}

/// A stored pipeline, of its body.
pub fn pipeline_of(body: Option<Vec<u8>>, sha256: &str) -> Result<StoredPipeline, Error> {
    let text = body.and_then(|bytes| String::from_utf8(bytes).ok());
    let value = text.and_then(|text| RawValue::from_string(text).ok());
    let value = value.ok_or_else(|| Error::internal(format!("the pipeline `{sha256}` is not stored")))?;
    match json_of(&value) {
        Ok((json, None)) => Ok(StoredPipeline { json, text: None }),
        Ok((json, Some(_))) => Ok(StoredPipeline { json, text: Some(value) }),
        Err(problem) => Err(Error::internal(format!("the stored pipeline `{sha256}` cannot be read: {problem}"))),
    }
}

/// The answer to a change of something that expected another revision.
pub fn changed_since(of: &str, expected: u64, found: u64) -> Error {
    Error::new(Code::Conflict, format!("the {of} is at revision {found}, not {expected}")).hint(READ_AGAIN)
}
