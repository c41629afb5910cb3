//! Follows a rollout to its end, over dropped connections and restarts of the plane. Resources get their outcomes in
//! their order, so the number shown is the place to continue from: none is shown twice, and none is left out.

use crate::api::client::{self, Answer, Client, Path};
use crate::api::retry;
use crate::failure::{Exit, Failure};
use crate::rollouts;
use crate::rollouts::bar::Bar;
use crate::rollouts::views::{Resource, Rollout};
use crate::session::Session;
use serde_json::value::RawValue;
use std::time::Duration;

/// How often a rollout is read: soon after it moved, more rarely while it does not.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);

/// Gives each resource with an outcome to `show`, and returns the ended rollout. Ctrl-C ends the following, not the
/// rollout.
pub async fn follow(
    session: &Session,
    client: &Client,
    rollout: &Rollout,
    show: impl FnMut(&RawValue),
) -> Result<Answer, Failure> {
    let bar = Bar::new(session, rollout, "");
    let mut following = Following { session, client, id: &rollout.id, bar: &bar, show, shown: 0 };
    tokio::select! {
        ended = following.until_the_end() => ended.map_err(|failure| lost(failure, &rollout.id)),
        never = bar.repeat() => match never {},
        _ = tokio::signal::ctrl_c() => {
            let message = format!("rollout `{}` continues on the plane", rollout.id);
            Err(Failure::new("interrupted", message).hint(ways_on(&rollout.id)).exit(Exit::Interrupted))
        }
    }
}

struct Following<'a, S> {
    session: &'a Session,
    client: &'a Client,
    id: &'a str,
    bar: &'a Bar,
    show: S,
    /// The first so many resources were shown.
    shown: usize,
}

impl<S: FnMut(&RawValue)> Following<'_, S> {
    /// Listens as long as the plane sends events, then reads the rollout; repeats until it has ended, by reading alone if
    /// there is no stream.
    async fn until_the_end(&mut self) -> Result<Answer, Failure> {
        let mut wait = SHORTEST;
        let mut before = (String::new(), 0);
        let mut is_streamed = true;
        loop {
            is_streamed = is_streamed && self.listen().await;
            let (answer, rollout) = self.look().await?;
            if rollout.is_final() {
                return Ok(answer);
            }
            let now = (rollout.step, rollout.settled);
            wait = if now == before { LONGEST.min(wait * 2) } else { SHORTEST };
            before = now;
            tokio::time::sleep(wait).await;
        }
    }

    /// Shows the events of the plane until they end; `false` if there is no stream.
    async fn listen(&mut self) -> bool {
        let path = Path::new(&["rollouts", self.id, "events"]);
        let last = (self.shown > 0).then_some(self.shown as u64);
        let mut events = match self.client.events(&path, last).await {
            Ok(events) => events,
            Err(failure) => return failure.exit == Exit::Unavailable,
        };
        while let Some(event) = events.next().await {
            match (event.name.as_str(), event.id.and_then(|id| id.parse::<usize>().ok())) {
                ("resource", Some(settled @ 1..)) => match serde_json::from_str(&event.data) {
                    Ok(resource) => self.show(settled - 1, resource),
                    Err(_) => break,
                },
                ("progress", _) => _ = serde_json::from_str(&event.data).map(|stand| self.bar.update(&stand)),
                ("complete", _) => break,
                _ => {}
            }
        }
        true
    }

    /// Reads the rollout as it is, and shows what is new of it.
    async fn look(&mut self) -> Result<(Answer, Rollout), Failure> {
        let path = rollouts::path(self.id);
        let answer = retry::read(self.client, &path, |failure| self.report_loss(failure)).await?;
        let rollout: Rollout = answer.read()?;
        for (index, resource) in rollout.items.iter().enumerate() {
            self.show(index, resource);
        }
        self.bar.update(&rollout.stand());
        Ok((answer, rollout))
    }

    /// Shows a resource by its place, unless it was shown.
    fn show(&mut self, index: usize, resource: &RawValue) {
        if index == self.shown {
            let Following { bar, show, .. } = self;
            bar.suspend(|| show(resource));
            self.shown += 1;
        }
    }

    fn report_loss(&self, failure: &Failure) {
        let Following { session, bar, .. } = self;
        bar.suspend(|| session.output.trying_again(failure));
    }
}

/// How a rollout ended: an error unless it succeeded.
pub fn ended(rollout: &Rollout) -> Result<(), Failure> {
    let failed = |code: &str, why: String| {
        let failure = Failure::new(code, format!("rollout `{}` {why}", rollout.id));
        match code {
            "invalid_pipeline" => Err(failure.hint("nothing changed; fix the problems, and deploy again")),
            // The state of deployments forbids it, maybe only since the command looked.
            "already_exists" | "conflict" => Err(failure.exit(Exit::Conflict)),
            _ => Err(failure),
        }
    };
    match (rollout.state.as_str(), &rollout.error) {
        ("succeeded", _) => Ok(()),
        ("cancelled", _) => failed("cancelled", "was cancelled; pipelines that are live by now stay live".to_owned()),
        (_, Some(wrong)) => failed(&wrong.code, format!("failed: {}", wrong.message)),
        (state, None) => failed(state, format!("is {state}")),
    }
}

/// Reads a resource with its outcome.
pub fn resource(text: &RawValue) -> Result<Resource, Failure> {
    client::read(text.get())
}

fn lost(failure: Failure, id: &str) -> Failure {
    match failure.exit {
        Exit::Unavailable => {
            let message = format!("{}; rollout `{id}` has started, and continues when the plane does", failure.message);
            Failure { message, ..failure }.hint(ways_on(id))
        }
        _ => failure,
    }
}

/// What to do about a rollout that this command does not follow.
pub fn ways_on(id: &str) -> String {
    format!("follow it with `tidemill rollout follow {id}`, end it with `tidemill rollout cancel {id}`")
}
