//! Ids that are given by their beginning, in upper or lower case. Ids of runs, rollouts and keys are ULIDs.

use crate::failure::Failure;
use crate::output::table::plain;
use tidemill_model::ids::RunId;
use tidemill_model::invalid::Invalid;

/// Ids that are named where a beginning fits several.
pub const SHOWN: usize = 3;

/// Whether an id begins so.
pub fn begins(id: &str, beginning: &str) -> bool {
    id.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// Refuses what neither is an id nor could begin one, as `parse` refuses it.
pub fn check<T>(given: &str, parse: impl FnOnce(String) -> Result<T, Invalid>) -> Result<(), Failure> {
    match RunId::first_and_last(&given.to_ascii_uppercase()) {
        Some(_) if !given.is_empty() => Ok(()),
        _ => parse(given.to_owned()).map(drop).map_err(Failure::from),
    }
}

/// The only one of those that begin so; `None` if there are none.
///
/// # Errors
/// There are several.
pub fn only<T>(noun: &str, beginning: &str, mut found: Vec<(String, T)>, has_more: bool) -> Result<Option<T>, Failure> {
    if found.len() <= 1 {
        return Ok(found.pop().map(|(_, one)| one));
    }
    let shown: Vec<String> = found.iter().take(SHOWN).map(|(id, _)| format!("`{}`", plain(id))).collect();
    let more = if found.len() > SHOWN || has_more { " and more" } else { "" };
    let asked = plain(&beginning.to_ascii_uppercase());
    let message = format!("`{asked}` is the beginning of several {noun}s: {}{more}", shown.join(", "));
    Err(Failure::argument(message, "give more of the id"))
}
