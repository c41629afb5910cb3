//! What `deploy` and `remove --group` have in common: a rollout is begun, followed to its end, and told of.

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::rollouts::begin::{Request, Turn, begin};
use crate::rollouts::follow::{self, follow, ways_on};
use crate::rollouts::shown;
use crate::rollouts::views::Rollout;
use crate::session::Session;

/// How a rollout is carried out.
#[derive(clap::Args, Clone, Debug)]
pub struct How {
    #[command(flatten)]
    turn: Turn,
    /// Begin the rollout, and do not follow it
    #[arg(long)]
    detach: bool,
}

impl How {
    /// Whether something is said that means nothing without a rollout.
    pub fn is_given(&self) -> bool {
        self.detach || self.turn.is_given()
    }
}

/// Who tells what became of the resources.
#[derive(Clone, Copy, PartialEq)]
pub enum Tell {
    /// A line for each, and a sentence at the end.
    Here,
    /// The caller, if it succeeds.
    Caller,
}

/// Begins a rollout and follows it to its end. `None` if it was only begun.
///
/// # Errors
/// It did not begin, or it did not succeed.
pub async fn carry(
    session: &Session,
    client: &Client,
    request: &Request,
    how: &How,
    tell: Tell,
) -> Result<Option<Rollout>, Failure> {
    let answer = begin(session, client, request, &how.turn).await?;
    let rollout: Rollout = answer.read()?;
    if how.detach {
        let sentence = format!("begun {}\n{}", shown::begun(&rollout), ways_on(&rollout.id));
        session.output.done(&answer.text, sentence);
        return Ok(None);
    }
    if !session.is_watched() {
        session.output.note(shown::begun(&rollout));
    }
    let output = session.output;
    let tells = tell == Tell::Here && !output.is_json();
    let answer = follow(session, client, &rollout, |text| {
        if let Some(resource) = follow::resource(text).ok().filter(|_| tells) {
            output.line(shown::resource(&resource));
        }
    })
    .await?;
    let rollout: Rollout = answer.read()?;
    if output.is_json() {
        output.line(&answer.text);
    } else if tells {
        output.line(shown::ended(&rollout, &shown::resources(&rollout.items)));
    }
    follow::ended(&rollout)?;
    Ok(Some(rollout))
}

/// Like [`carry`], for those who have nothing to add.
pub async fn carry_out(session: &Session, client: &Client, request: &Request, how: &How) -> Result<Exit, Failure> {
    carry(session, client, request, how, Tell::Here).await.map(|_| Exit::Done)
}
