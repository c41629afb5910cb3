//! Opens a task: a run that waits for objects. No process waits with it; each object is worked on where it comes in.
//! A source that makes its own objects runs once, and the task ends with that run.

use crate::answer::TaskAnswer;
use crate::deployment::definition::Definition;
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::task::opening::TaskOpening;
use crate::task::turn::SourceTurn;
use serde_json::value::RawValue;
use tidemill_model::invalid::Invalid;
use tidemill_model::key::Scope;
use tidemill_model::pipeline::{NAME_LIMIT, members};
use tidemill_model::task::THREADS_LIMIT;

/// Longest token that a caller may choose, in characters.
const TOKEN_LIMIT: usize = 256;

pub use crate::task::opening::Input;

pub struct Open;

impl crate::Operation for Open {
    const NAME: &'static str = "task_open";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = TaskAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<TaskAnswer, Error> {
        let random = || format!("task-{:032x}", plane.ambient.random_u128());
        let pipeline = with_project(&input.pipeline, random);
        let definition = Definition::compile_at(plane, &pipeline, input.source.as_deref())?;
        open(plane, call, input, definition, None).await
    }
}

/// Opens a task of a pipeline that was compiled: that of a version, or, without one, one that came with the call.
pub async fn open(
    plane: &Plane,
    call: &Call,
    input: Input,
    definition: Definition,
    version: Option<u32>,
) -> Result<TaskAnswer, Error> {
    check(&input)?;
    TaskOpening { plane, call, input, definition, version, turn: None }.open().await
}

/// Opens a task of the version that is live in an environment.
pub async fn open_in_turn(
    plane: &Plane,
    call: &Call,
    input: Input,
    definition: Definition,
    turn: SourceTurn,
) -> Result<TaskAnswer, Error> {
    check(&input)?;
    let version = Some(turn.environment.version);
    TaskOpening { plane, call, input, definition, version, turn: Some(turn) }.open().await
}

fn check(input: &Input) -> Result<(), Error> {
    if let Some(threads) = input.threads
        && !(1..=THREADS_LIMIT).contains(&threads)
    {
        let message = format!("`threads` is {threads}, outside 1 to {THREADS_LIMIT}");
        return Err(Invalid::new("threads", message, "leave it out for 4").into());
    }
    let length = input.name.as_deref().map_or(0, |name| name.chars().count());
    if length > NAME_LIMIT {
        let message = format!("`name` has {length} characters, over {NAME_LIMIT}");
        return Err(Invalid::new("name", message, "shorten it").into());
    }
    if input.token.as_deref() == Some("*") {
        let hint = "choose another text, or leave it out for an unguessable one";
        return Err(Invalid::new("token", "the token `*` means every task", hint).into());
    }
    let length = input.token.as_deref().map_or(1, |token| token.chars().count());
    if !(1..=TOKEN_LIMIT).contains(&length) {
        let message = format!("the token has {length} characters, outside 1 to {TOKEN_LIMIT}");
        return Err(Invalid::new("token", message, "change it, or leave it out for an unguessable one").into());
    }
    Ok(())
}

/// Gives a pipeline without a `project_id` the one that `name` makes.
pub(crate) fn with_project(pipeline: &RawValue, name: impl FnOnce() -> String) -> Box<RawValue> {
    if members::member(pipeline, "project_id").is_some_and(|id| id != "null") {
        return pipeline.to_owned();
    }
    let name = serde_json::to_string(&name()).expect("a text can be written as JSON");
    // What is no object is the compiler's to refuse.
    members::set_member(pipeline, "project_id", &name).unwrap_or_else(|| pipeline.to_owned())
}
