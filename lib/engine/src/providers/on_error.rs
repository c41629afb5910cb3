//! What a component does with a value for which its expression fails.

use crate::component::{Call, Fault};
use crate::log::Level;
use serde::Deserialize;
use serde_json::{Value as Tree, json};

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    Fail,
    Skip,
    Null,
}

/// The schema of the field `on_error`; `null` says what that choice does.
pub fn schema(null: &str) -> Tree {
    json!({
        "enum": ["fail", "skip", "null"], "default": "fail",
        "description": format!(
            "What happens when it fails for a value: `fail` ends the run, `skip` drops the value, which the run counts and its log shows, `null` {null}."
        ),
    })
}

impl OnError {
    /// Does something of which nothing goes on if it fails. `on_null` stands in for it where the config says `null`.
    pub fn guard(
        self,
        call: &mut Call<'_>,
        reason: &'static str,
        work: impl FnOnce(&mut Call<'_>) -> Result<(), Fault>,
        on_null: impl FnOnce(&mut Call<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let failed = match call.whole(work) {
            Ok(()) => return Ok(()),
            Err(fault) => fault,
        };
        match self {
            OnError::Fail if failed.hint.is_some() => Err(failed),
            OnError::Fail => Err(failed.hint("correct it, or set `on_error` to `skip` or `null`")),
            OnError::Skip => {
                call.dropped(reason);
                call.log(Level::Warn, format!("skipped: {}", failed.message));
                Ok(())
            }
            OnError::Null => on_null(call),
        }
    }
}
