//! What is wrong with a rollout's pipelines, in words. They are kept with the rollout, so their length is bounded.

use crate::error::{Detail, Error};
use crate::rollout::request::{ResourceName, several_problems};
use tidemill_model::rollout::Failure;

/// Longest text about a whole rollout, in bytes.
pub const ROLLOUT_LIMIT: usize = 8 * 1024;
/// Longest text about one resource, in bytes: a transaction writes a hundred of them, and takes 4 MB.
pub const RESOURCE_LIMIT: usize = 4 * 1024;

/// What is wrong with pipelines that cannot run, by their index, in one error.
pub fn cannot_run(named: &[ResourceName], problems: &[(u32, Error)]) -> Error {
    let name = |index: u32| named[index as usize].logical_id.to_string();
    let mut details = Vec::new();
    for (index, error) in problems {
        let index = *index as usize;
        details.extend(error.listed().into_iter().map(|detail| placed(&named[index], index, detail)));
    }
    let message = match (problems, details.as_slice()) {
        (_, [only]) => only.message.clone(),
        ([(index, _)], several) => format!("pipeline `{}` has {} problems", name(*index), several.len()),
        _ => format!("{} pipelines have {} problems", problems.len(), details.len()),
    };
    several_problems(message, details)
}

/// Names the pipeline and its place in the request.
pub fn placed(named: &ResourceName, index: usize, detail: Detail) -> Detail {
    Detail {
        message: format!("`{}`: {}", named.logical_id, detail.message),
        field: Some(match detail.field {
            Some(field) => format!("pipelines[{index}].{field}"),
            None => format!("pipelines[{index}]"),
        }),
        ..detail
    }
}

/// Why a rollout ends early, by a code for programs and a sentence for people.
pub(crate) fn failure(code: &str, message: impl Into<String>) -> Failure {
    Failure { code: code.to_owned(), message: message.into() }
}
