//! What audit rows and notices say was done. The words are stored, so a row that a newer version wrote keeps its own.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A change, by the operation that made it. [`Operation::SourcePause`] and [`Operation::SourceResume`] are the two uses
/// of `environment_source` that its readers distinguish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[expect(missing_docs, reason = "each is the operation of its name")]
pub enum Operation {
    DeploymentAdd,
    DeploymentUpdate,
    DeploymentPause,
    DeploymentResume,
    DeploymentRemove,
    /// A tick stopped the deployment, because its key is no longer valid.
    DeploymentTick,
    RolloutExecute,
    VersionAdd,
    EnvironmentDeploy,
    EnvironmentPromote,
    EnvironmentRollback,
    EnvironmentRun,
    EnvironmentEnable,
    EnvironmentDisable,
    EnvironmentRemove,
    EnvironmentSource,
    SourcePause,
    SourceResume,
    /// One that this version does not know.
    Other(String),
}

impl Operation {
    const KNOWN: [Operation; 18] = [
        Operation::DeploymentAdd,
        Operation::DeploymentUpdate,
        Operation::DeploymentPause,
        Operation::DeploymentResume,
        Operation::DeploymentRemove,
        Operation::DeploymentTick,
        Operation::RolloutExecute,
        Operation::VersionAdd,
        Operation::EnvironmentDeploy,
        Operation::EnvironmentPromote,
        Operation::EnvironmentRollback,
        Operation::EnvironmentRun,
        Operation::EnvironmentEnable,
        Operation::EnvironmentDisable,
        Operation::EnvironmentRemove,
        Operation::EnvironmentSource,
        Operation::SourcePause,
        Operation::SourceResume,
    ];

    /// The word that is stored: `noun_verb`.
    pub fn as_str(&self) -> &str {
        match self {
            Operation::DeploymentAdd => "deployment_add",
            Operation::DeploymentUpdate => "deployment_update",
            Operation::DeploymentPause => "deployment_pause",
            Operation::DeploymentResume => "deployment_resume",
            Operation::DeploymentRemove => "deployment_remove",
            Operation::DeploymentTick => "deployment_tick",
            Operation::RolloutExecute => "rollout_execute",
            Operation::VersionAdd => "version_add",
            Operation::EnvironmentDeploy => "environment_deploy",
            Operation::EnvironmentPromote => "environment_promote",
            Operation::EnvironmentRollback => "environment_rollback",
            Operation::EnvironmentRun => "environment_run",
            Operation::EnvironmentEnable => "environment_enable",
            Operation::EnvironmentDisable => "environment_disable",
            Operation::EnvironmentRemove => "environment_remove",
            Operation::EnvironmentSource => "environment_source",
            Operation::SourcePause => "environment_source_pause",
            Operation::SourceResume => "environment_source_resume",
            Operation::Other(word) => word,
        }
    }
}

impl From<String> for Operation {
    fn from(word: String) -> Operation {
        let known = Operation::KNOWN.into_iter().find(|known| known.as_str() == word);
        known.unwrap_or(Operation::Other(word))
    }
}

impl From<Operation> for String {
    fn from(operation: Operation) -> String {
        operation.as_str().to_owned()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_what_wrote_it() {
        for operation in Operation::KNOWN {
            let word = serde_json::to_string(&operation).unwrap();

            assert!(!matches!(operation, Operation::Other(_)));
            assert_eq!(serde_json::from_str::<Operation>(&word).unwrap(), operation, "{word}");
        }
        assert_eq!(serde_json::to_string(&Operation::SourcePause).unwrap(), r#""environment_source_pause""#);
    }

    #[test]
    fn a_word_of_a_newer_version_is_kept() {
        let read: Operation = serde_json::from_str(r#""deployment_rename""#).unwrap();

        assert_eq!(read, Operation::Other("deployment_rename".to_owned()));
        assert_eq!(serde_json::to_string(&read).unwrap(), r#""deployment_rename""#);
    }
}
