//! Takes a webhook's body.
//!
//! What no lane of the pipeline takes is refused before there is a run. Once a body is accepted it is in the table: the
//! answer names the run that will have it. Runs of one project wait for each other.

use crate::answer::RunAnswer;
use crate::deployment::change::Retry;
use crate::error::{Code, Error};
use crate::idempotency::Idempotency;
use crate::plane::{Call, Plane};
use crate::run::start::keep_input;
use crate::run::turn::ring_made;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tidemill_engine::{Input as EngineInput, Untaken, check_input};
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{HookId, RunId};
use tidemill_model::invalid::Invalid;
use tidemill_model::run::{Run, Trigger};
use tidemill_model::version::sha256;
use tidemill_store::{Hook, Part};
use tokio::sync::Notify;

/// Largest body of a webhook, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// Longest wait for the result, in seconds: below the limit of the gateways in between.
pub const WAIT_LIMIT: u32 = 25;

/// How often a run is looked at whose worker is in another process; the pause doubles.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// When a sender tries again at a project that does not run: a person resumes it, which takes minutes.
const RESUMED: Duration = Duration::from_secs(300);

/// The operation's name, under which idempotency keys are remembered.
const NAME: &str = "hook_receive";

/// What came in.
pub struct Received {
    pub input: EngineInput,
    /// Seconds to wait for the run's end before answering; 0 answers at once.
    pub wait: u32,
    /// By which a sender's repetition is known.
    pub idempotency: Option<String>,
}

/// What became of a body.
pub struct Accepted {
    /// The run that has it, ended or still going.
    pub run: RunAnswer,
    /// An earlier request brought it, with the same idempotency key.
    pub is_replayed: bool,
}

/// What is remembered of a request with an idempotency key.
#[derive(Serialize, Deserialize)]
struct Remembered {
    run: RunId,
}

/// Finds a hook that may take one more body, before any of it is read.
pub async fn admit(plane: &Plane, hook: &str) -> Result<Hook, Error> {
    let hook = HookId::parse(hook).map_err(|_| unknown())?;
    let hook = plane.store.hook(&hook).await?.ok_or_else(unknown)?;
    plane.memory.hooks.count(&hook, plane.now())?;
    Ok(hook)
}

/// The same answer for an id that cannot be, that is unknown and whose project was removed.
fn unknown() -> Error {
    Error::new(Code::NotFound, "this webhook does not exist").hint("check its URL")
}

/// Accepts a body and gives the run that has it.
pub async fn run(plane: &Plane, hook: Hook, received: Received) -> Result<Accepted, Error> {
    check(&received)?;
    let wait = received.wait;
    let Taken { run, is_replayed, end } = {
        let _turn = plane.memory.hooks.turn(&hook).await;
        accepted(plane, &hook, received).await?
    };
    Ok(Accepted { run: wait_for(plane, run, &end, wait).await?, is_replayed })
}

/// The run of a body.
struct Taken {
    run: Run,
    is_replayed: bool,
    /// Is notified when a worker of this process ends it.
    end: Arc<Notify>,
}

impl Taken {
    /// Call it before the run's bell rings, so that no end comes before.
    fn of(plane: &Plane, run: Run, is_replayed: bool) -> Taken {
        Taken { end: plane.memory.ends.of(&run.id), run, is_replayed }
    }
}

/// Writes the run of a body, unless an earlier request did.
async fn accepted(plane: &Plane, hook: &Hook, received: Received) -> Result<Taken, Error> {
    let now = plane.now();
    // Senders of two hooks may use the same key.
    let operation = format!("{NAME}:{}", hook.id);
    let asked = received.idempotency.as_ref().map(|_| request(&received.input));
    let (mut retry, mut input) = (Retry::new(), None);
    loop {
        let found = plane.store.deployment(&hook.owner, &DeploymentId::from(&hook.project)).await?;
        let before = found.ok_or_else(unknown)?;
        let call = caller(&before, now, received.idempotency.clone());
        let once = Idempotency::of(&call, &operation, &asked)?;
        if let Some(run) = earlier(plane, &call, once.as_ref(), &before).await? {
            return Ok(Taken::of(plane, run, true));
        }
        check_state(&before.state).ok_or_else(unknown)??;
        let id = RunId::new(now, plane.ambient.random_u128());
        let run = Run::of(&before, id, Trigger::Webhook, now);
        let plan = crate::run::preparation::plan(plane, &run).await?;
        check_input(&plan, &received.input).map_err(untaken)?;
        if input.is_none() {
            input = Some(keep_input(plane, &call, &hook.project, &received.input).await?);
        }
        let run = input.iter().cloned().fold(run, Run::with_input);
        let mut after = before.clone();
        after.revision += 1;
        // An id made in the same millisecond may sort before the ones there are.
        after.waiting = after.waiting.into_iter().chain([run.id.clone()]).min();
        let mut transaction = plane.store.transaction().deployment(&after, before.revision)?.new_run(&run)?;
        if let Some(once) = &once {
            transaction = once.remember(transaction, &call, &Remembered { run: run.id.clone() })?;
        }
        match transaction.commit().await {
            Ok(()) => {
                let taken = Taken::of(plane, run, false);
                ring_made(plane, &taken.run, &after).await;
                return Ok(taken);
            }
            // The same request came twice at once: the next look finds the run of the other.
            Err(error) if error.rejects(Part::Idempotency) => retry.again(plane, error, Part::Idempotency).await?,
            Err(error) => retry.again(plane, error, Part::Deployment).await?,
        }
    }
}

/// In what a request differs from others: not in its headers, which a repetition has anew.
fn request(input: &EngineInput) -> impl Serialize + use<> {
    let objects = std::iter::once(input).chain(&input.more);
    objects.map(|object| (object.mime.clone(), object.name.clone(), sha256(&object.body))).collect::<Vec<_>>()
}

/// The run of the request that was sent before with the same idempotency key.
async fn earlier(
    plane: &Plane,
    call: &Call,
    once: Option<&Idempotency>,
    deployment: &Deployment,
) -> Result<Option<Run>, Error> {
    let Some(once) = once else { return Ok(None) };
    let Some(answer) = once.earlier(plane, call).await? else { return Ok(None) };
    let Remembered { run } = serde_json::from_str(answer.get()).map_err(Error::internal)?;
    let run = plane.store.run(&deployment.owner, &deployment.id, &run).await?;
    run.map(Some).ok_or_else(|| Error::internal("the run of an idempotency key is missing"))
}

fn check(received: &Received) -> Result<(), Error> {
    let length = received.input.size();
    if length > BODY_LIMIT {
        return Err(Error::new(Code::TooLarge, format!("the body has {length} bytes, the limit is {BODY_LIMIT}"))
            .hint("send less at once"));
    }
    if received.wait > WAIT_LIMIT {
        let wait = received.wait;
        return Err(Invalid::new(
            "wait",
            format!("`wait` is {wait}, outside 0 to {WAIT_LIMIT}"),
            "ask for the run afterwards if it takes longer",
        )
        .into());
    }
    Ok(())
}

fn untaken(untaken: Untaken) -> Error {
    match untaken {
        Untaken::Content(malformed) => Invalid::new("body", malformed.message, malformed.hint).into(),
        Untaken::Type { given, taken } => {
            let given: String = given.chars().take(100).collect();
            let message = format!("the pipeline takes no body of the type `{}`", given.escape_debug());
            let taken: Vec<_> = taken.iter().map(|media_type| format!("`{media_type}`")).collect();
            Error::new(Code::UnsupportedMediaType, message).hint(format!("send one of {}", taken.join(", ")))
        }
    }
}

/// Refuses a body while the project does not run; `None` if it was removed. Why it is errored is its owner's to see.
fn check_state(state: &State) -> Option<Result<(), Error>> {
    let refused = |state: &str| {
        Error::new(Code::Unavailable, format!("the project does not take webhooks now: it is {state}"))
            .hint("try again after it was resumed")
            .retry_after(RESUMED)
    };
    match state {
        State::Active => Some(Ok(())),
        State::Paused { .. } => Some(Err(refused("paused"))),
        State::Errored { .. } => Some(Err(refused("errored"))),
        State::Removed { .. } => None,
    }
}

/// A webhook acts for the deployment itself.
fn caller(deployment: &Deployment, now: Timestamp, idempotency: Option<String>) -> Call {
    Call { owner: deployment.owner.clone(), key: deployment.key.clone(), scopes: Vec::new(), now, idempotency }
}

/// Looks at a run until it has ended or `seconds` are over: when a worker of this process ended it, and now and then.
async fn wait_for(plane: &Plane, run: Run, end: &Notify, seconds: u32) -> Result<RunAnswer, Error> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(seconds.into());
    let mut pause = if plane.workers.this().is_alone { LONGEST_PAUSE } else { SHORTEST_PAUSE };
    let mut seen = run;
    while !seen.state.is_final() && tokio::time::Instant::now() < deadline {
        let next = deadline.min(tokio::time::Instant::now() + pause);
        tokio::select! {
            () = end.notified() => {}
            () = tokio::time::sleep_until(next) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        if let Some(found) = plane.store.run(&seen.owner, &seen.deployment, &seen.id).await? {
            seen = found;
        }
    }
    crate::run::get::answer(plane, seen).await
}
