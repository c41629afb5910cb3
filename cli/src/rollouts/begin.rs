//! Starts a rollout: once, even if its answer is lost, and after the running rollout of its group.

use crate::api::client::{Answer, Client, Path};
use crate::api::retry::Retry;
use crate::deploy::files::PreparedPipeline;
use crate::failure::{Exit, Failure};
use crate::output::table::plain;
use crate::output::times;
use crate::rollouts::bar::Bar;
use crate::rollouts::shown;
use crate::rollouts::views::Rollout;
use crate::rollouts::{self};
use crate::session::Session;
use reqwest::Method;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long the plane holds a request for the end of a rollout.
const HOLD: Duration = Duration::from_secs(20);
/// The same where a person watches the bar.
const WATCHED_HOLD: Duration = Duration::from_secs(2);
/// How long to wait for a running rollout by default.
const WAIT_LIMIT: Duration = Duration::from_secs(30 * 60);
/// A rollout that is cancelled finishes the pipelines in hand first, so it gets this long at the least.
const CANCEL_LIMIT: Duration = Duration::from_secs(60);
/// Between two tries for a slot that should be free.
const BREATH: Duration = Duration::from_millis(200);

/// What to do about a running rollout of the same group.
#[derive(clap::Args, Clone, Debug)]
pub struct Turn {
    /// Cancel the running rollout of the group instead of waiting for its end
    #[arg(long, conflicts_with = "no_wait")]
    cancel_in_progress: bool,
    /// Fail at once if a rollout of the group is running
    #[arg(long)]
    no_wait: bool,
    /// How long to wait for it at most, e.g. `90s` or `2h` [default: 30m]
    #[arg(long, value_name = "TIME", conflicts_with = "no_wait", value_parser = times::duration)]
    wait_limit: Option<Duration>,
}

impl Turn {
    pub fn is_given(&self) -> bool {
        self.cancel_in_progress || self.no_wait || self.wait_limit.is_some()
    }
}

/// The request that begins a rollout.
pub struct Request<'a> {
    pub method: Method,
    pub path: Path,
    pub body: Option<String>,
    /// The group that it is of, for people.
    pub group: String,
    /// The files that it deploys.
    pub prepared: &'a [PreparedPipeline],
}

/// Begins a rollout, and gives the answer that has its id.
pub async fn begin(session: &Session, client: &Client, request: &Request<'_>, turn: &Turn) -> Result<Answer, Failure> {
    let beginning =
        Beginning { session, client, turn, began: crate::output::times::clock(), is_asked_for: Cell::new(false) };
    tokio::select! {
        answer = beginning.begin(request) => answer,
        _ = tokio::signal::ctrl_c() => Err(beginning.interrupted(request)),
    }
}

struct Beginning<'a> {
    session: &'a Session,
    client: &'a Client,
    turn: &'a Turn,
    began: Instant,
    /// A request is on its way, and what the plane makes of it is not known yet.
    is_asked_for: Cell<bool>,
}

impl Beginning<'_> {
    async fn begin(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let key = idempotency_key();
        let mut held_by = None;
        loop {
            self.is_asked_for.set(true);
            let refused = match self.ask(request, &key).await {
                Err(failure) if !self.turn.no_wait => failure,
                answer => return answer,
            };
            self.is_asked_for.set(false);
            let holder = holder(&refused).map(str::to_owned);
            let Some(id) = holder else { return Err(refused) };
            if held_by.as_ref() == Some(&id) {
                tokio::time::sleep(BREATH).await;
            }
            self.outwait(&id).await?;
            held_by = Some(id);
        }
    }

    /// The same key goes with every try, so that a request whose answer was lost is not done twice.
    async fn ask(&self, request: &Request<'_>, key: &str) -> Result<Answer, Failure> {
        let mut retry = Retry::of_unknown();
        loop {
            match self.client.once(request.method.clone(), &request.path, request.body.clone(), key).await {
                Err(failure) => retry.again(failure, |failure| self.lost(failure)).await?,
                answer => return answer,
            }
        }
    }

    /// Waits for the end of the rollout that holds the slot, or ends it.
    async fn outwait(&self, id: &str) -> Result<(), Failure> {
        let holder: Rollout = self.get(&rollouts::path(id)).await?.read()?;
        if holder.is_final() {
            return Ok(());
        }
        let verb = if self.turn.cancel_in_progress { "cancelling" } else { "waiting for" };
        self.session.output.note(format_args!("{verb} {}", shown::holder(&holder, crate::output::times::now())));
        if self.turn.cancel_in_progress {
            self.cancel(id).await?;
        }
        let limit = self.limit();
        let bar = Bar::new(self.session, &holder, verb);
        loop {
            let left = limit.saturating_sub(self.began.elapsed());
            if left.is_zero() {
                return Err(self.waited_in_vain(&holder));
            }
            let hold = if self.session.is_watched() { WATCHED_HOLD } else { HOLD };
            let wait = hold.min(left).as_secs().max(1);
            let rollout: Rollout =
                self.get(&Path::new(&["rollouts", id, "completion"]).with("wait", wait)).await?.read()?;
            bar.update(&rollout.stand());
            if rollout.is_final() {
                return Ok(());
            }
        }
    }

    /// How long to wait at most, from the beginning.
    fn limit(&self) -> Duration {
        let limit = self.turn.wait_limit.unwrap_or(WAIT_LIMIT);
        match self.turn.cancel_in_progress {
            true => limit.max(self.began.elapsed() + CANCEL_LIMIT),
            false => limit,
        }
    }

    async fn cancel(&self, id: &str) -> Result<(), Failure> {
        let mut retry = Retry::of_known();
        // A cancel may be repeated as it is.
        while let Err(failure) = self.client.post(&Path::new(&["rollouts", id, "cancel"]), None).await {
            retry.again(failure, |failure| self.lost(failure)).await?;
        }
        Ok(())
    }

    async fn get(&self, path: &Path) -> Result<Answer, Failure> {
        let mut retry = Retry::of_known();
        loop {
            match self.client.get(path).await {
                Err(failure) => retry.again(failure, |failure| self.lost(failure)).await?,
                answer => return answer,
            }
        }
    }

    fn lost(&self, failure: &Failure) {
        self.session.output.trying_again(failure);
    }

    fn interrupted(&self, request: &Request<'_>) -> Failure {
        let (message, shows) = match self.is_asked_for.get() {
            true => ("interrupted; the rollout may have started", "whether it has"),
            false => ("interrupted before the rollout started", "what is running"),
        };
        Failure::new("interrupted", message)
            .hint(format!("`tidemill rollouts --group {}` shows {shows}", plain(&request.group)))
            .exit(Exit::Interrupted)
    }

    fn waited_in_vain(&self, holder: &Rollout) -> Failure {
        let waited = times::seconds(self.began.elapsed().as_secs().try_into().unwrap_or(i64::MAX));
        let or_end = match self.turn.cancel_in_progress {
            true => "",
            false => ", or end it with `--cancel-in-progress`",
        };
        let message = format!("rollout `{}` of `{}` is still running after {waited}", holder.id, holder.group);
        Failure::new("conflict", message)
            .hint(format!(
                "follow it with `tidemill rollout follow {}`{or_end}; `--wait-limit` waits longer",
                holder.id
            ))
            .exit(Exit::Conflict)
    }
}

/// The rollout that holds the slot, if that is why a rollout was refused.
fn holder(refused: &Failure) -> Option<&str> {
    let detail = refused.details.first().filter(|_| refused.exit == Exit::Conflict)?;
    (detail.field.as_deref() == Some("rollout")).then_some(detail.message.as_str())
}

fn idempotency_key() -> String {
    let mut bytes = [0; 16];
    #[expect(clippy::disallowed_methods, reason = "a command has no plane in its own process")]
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    format!("{:032x}", u128::from_be_bytes(bytes))
}
