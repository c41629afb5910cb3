//! What a deployment is of: a project itself, or one of its sources in an environment.
//!
//! Records and bells hold it as a text (a project) or as an object of three texts (a source). How it is spelled in the
//! table's keys is the store's affair.

use crate::ids::{EnvironmentName, ProjectId};
use crate::invalid::Invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// Longest names of an environment's source, taken together, in bytes: DynamoDB's sort keys hold 1,024.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const NAMES_LIMIT: usize = 1000;
/// What version 0.1.0 put between the three names in one text.
const OLD_SEPARATOR: char = '\u{1}';

/// Names one deployment of an owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeploymentId {
    /// The project itself: its production.
    Project(ProjectId),
    /// One of its sources in another environment, which runs as a deployment of its own.
    Source(EnvironmentSource),
}

/// One source of a project in one environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct EnvironmentSource {
    /// The project.
    pub project: ProjectId,
    /// The environment that it is deployed to.
    pub environment: EnvironmentName,
    /// The component that its runs start at.
    pub source: Arc<str>,
}

impl EnvironmentSource {
    /// Names a source of a project in an environment.
    ///
    /// # Errors
    /// The names do not fit into a key of the table.
    pub fn new(
        project: ProjectId,
        environment: EnvironmentName,
        source: impl Into<Arc<str>>,
    ) -> Result<EnvironmentSource, Invalid> {
        let source = source.into();
        let bytes = project.as_str().len() + environment.as_str().len() + source.len() + 2;
        if bytes > NAMES_LIMIT {
            let message = format!("project, environment and source have {bytes} bytes, the limit is {NAMES_LIMIT}");
            return Err(Invalid::new("source", message, "shorten one of the names"));
        }
        Ok(EnvironmentSource { project, environment, source })
    }
}

impl DeploymentId {
    /// The project that it belongs to.
    pub fn project(&self) -> &ProjectId {
        match self {
            DeploymentId::Project(project) => project,
            DeploymentId::Source(source) => &source.project,
        }
    }

    /// The environment's source that it is, unless it is the project itself.
    pub fn environment_source(&self) -> Option<&EnvironmentSource> {
        match self {
            DeploymentId::Project(_) => None,
            DeploymentId::Source(source) => Some(source),
        }
    }

    /// Whether it is the project itself.
    pub fn is_project(&self) -> bool {
        matches!(self, DeploymentId::Project(_))
    }
}

impl From<ProjectId> for DeploymentId {
    fn from(project: ProjectId) -> DeploymentId {
        DeploymentId::Project(project)
    }
}

impl From<&ProjectId> for DeploymentId {
    fn from(project: &ProjectId) -> DeploymentId {
        DeploymentId::Project(project.clone())
    }
}

impl From<EnvironmentSource> for DeploymentId {
    fn from(source: EnvironmentSource) -> DeploymentId {
        DeploymentId::Source(source)
    }
}

/// For people: `project`, or `project@environment/source`.
impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeploymentId::Project(project) => project.fmt(f),
            DeploymentId::Source(EnvironmentSource { project, environment, source }) => {
                write!(f, "{project}@{environment}/{source}")
            }
        }
    }
}

impl Serialize for DeploymentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            DeploymentId::Project(project) => project.serialize(serializer),
            DeploymentId::Source(source) => source.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for DeploymentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DeploymentId, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => read_text(&text),
            Written::Source { project, environment, source } => {
                EnvironmentSource::new(project, environment, source).map(DeploymentId::Source)
            }
        }
        .map_err(serde::de::Error::custom)
    }
}

/// The forms of records and bells.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Source { project: ProjectId, environment: EnvironmentName, source: String },
}

/// Reads a project's id, or the three names of a source as version 0.1.0 joined them.
fn read_text(text: &str) -> Result<DeploymentId, Invalid> {
    let mut names = text.splitn(3, OLD_SEPARATOR);
    match (names.next(), names.next(), names.next()) {
        (Some(project), Some(environment), Some(source)) => {
            let (project, environment) = (ProjectId::parse(project)?, EnvironmentName::parse(environment)?);
            Ok(EnvironmentSource::new(project, environment, source)?.into())
        }
        _ => Ok(ProjectId::parse(text)?.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn source() -> DeploymentId {
        let (project, environment) = (ProjectId::parse("p/1").unwrap(), EnvironmentName::parse("@me").unwrap());
        EnvironmentSource::new(project, environment, "timer_1").unwrap().into()
    }

    #[test]
    fn records_and_bells_give_it_back() {
        let project = DeploymentId::from(ProjectId::parse("p/1").unwrap());

        for (id, written) in [
            (&project, json!("p/1")),
            (&source(), json!({"project": "p/1", "environment": "@me", "source": "timer_1"})),
        ] {
            assert_eq!(serde_json::to_value(id).unwrap(), written);
            assert_eq!(serde_json::from_value::<DeploymentId>(written).unwrap(), *id);
        }
    }

    #[test]
    fn a_source_of_an_older_record_is_read() {
        let old = json!("p/1\u{1}@me\u{1}timer_1");

        assert_eq!(serde_json::from_value::<DeploymentId>(old).unwrap(), source());
        assert!(serde_json::from_value::<DeploymentId>(json!("p\u{1}q")).is_err());
    }

    #[test]
    fn people_see_its_parts_and_no_project_can_take_its_name() {
        assert_eq!(source().to_string(), "p/1@@me/timer_1");
        assert_eq!(source().project().as_str(), "p/1");
        assert_ne!(source(), ProjectId::parse(source().to_string()).unwrap().into());
    }

    #[test]
    fn names_that_do_not_fit_into_a_key_are_refused() {
        let (project, environment) = (ProjectId::parse("p").unwrap(), EnvironmentName::parse("e").unwrap());

        let refused = EnvironmentSource::new(project, environment, "s".repeat(997)).unwrap_err();

        assert_eq!(refused.message, "project, environment and source have 1001 bytes, the limit is 1000");
    }
}
