//! What `deploy` and `remove --group` share: starts a rollout, follows it to its end, and reports it.

use crate::api::client::Client;
use crate::failure::{Exit, Failure};
use crate::rollouts::begin::{Request, Turn, begin};
use crate::rollouts::follow::{self, follow, ways_on};
use crate::rollouts::input::news;
use crate::rollouts::shown;
use crate::rollouts::views::Rollout;
use crate::session::Session;

/// Whether to wait for other rollouts, and whether to follow this one.
#[derive(clap::Args, Clone, Debug)]
pub struct Pace {
    #[command(flatten)]
    turn: Turn,
    /// Start the rollout without following it
    #[arg(long)]
    detach: bool,
}

impl Pace {
    /// Whether an option is given that only a rollout uses.
    pub fn is_given(&self) -> bool {
        self.detach || self.turn.is_given()
    }
}

/// Who reports the outcome of the resources.
#[derive(Clone, Copy, PartialEq)]
pub enum Reporter {
    /// A line for each change, and a sentence at the end.
    Here,
    /// The caller, if it succeeds.
    Caller,
}

/// Starts a rollout and follows it to its end. `None` if it was only started.
///
/// # Errors
/// It did not start, or it did not succeed.
pub async fn carry(
    session: &Session,
    client: &Client,
    request: &Request<'_>,
    pace: &Pace,
    reporter: Reporter,
) -> Result<Option<Rollout>, Failure> {
    let answer = begin(session, client, request, &pace.turn).await?;
    let mut rollout: Rollout = answer.read()?;
    session.output.warnings(&news(std::mem::take(&mut rollout.warnings), request.prepared));
    if pace.detach {
        let sentence = format!("started {}\n{}", shown::start(&rollout), ways_on(&rollout.id));
        session.output.done(&answer.text, sentence);
        return Ok(None);
    }
    if !session.is_watched() {
        session.output.note(shown::start(&rollout));
    }
    let output = session.output;
    let reports = reporter == Reporter::Here && !output.is_json();
    let answer = follow(session, client, &rollout, |text| {
        if let Some(resource) = follow::resource(text).ok().filter(|resource| reports && shown::is_news(resource)) {
            output.line(shown::resource(&resource));
        }
    })
    .await?;
    let rollout: Rollout = answer.read()?;
    if output.is_json() {
        output.answer(&answer.text);
    } else if reports {
        output.line(shown::ended(&rollout, &shown::resources(&rollout.items)));
    }
    follow::ended(&rollout)?;
    Ok(Some(rollout))
}

/// Like [`carry`], for callers that add nothing.
pub async fn carry_out(
    session: &Session,
    client: &Client,
    request: &Request<'_>,
    pace: &Pace,
) -> Result<Exit, Failure> {
    carry(session, client, request, pace, Reporter::Here).await.map(|_| Exit::Done)
}
