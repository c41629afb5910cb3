//! Asks again what may pass: a connection that drops, a plane that is restarted, a gateway that has no answer.

use crate::api::client::{Answer, Client, Path, UNREACHABLE};
use crate::failure::{Exit, Failure};
use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// How long to try again when the plane does not answer.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Reads from a plane that has answered before, also while it is restarted. `report` is called when it stops answering.
pub async fn read(client: &Client, path: &Path, report: impl Fn(&Failure)) -> Result<Answer, Failure> {
    let mut retry = Retry::of_known();
    loop {
        match client.get(path).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => retry.again(failure, &report).await?,
        }
    }
}

/// Tries of one request.
pub struct Retry {
    silent_since: Option<Instant>,
    wait: Duration,
    /// The plane has answered before, so it is there.
    was_heard: bool,
}

impl Retry {
    /// Of a plane that has answered before.
    pub fn of_known() -> Retry {
        Retry { silent_since: None, wait: SHORTEST, was_heard: true }
    }

    /// Of a plane that may not be there at all: if it cannot be reached the first time, it is not waited for.
    pub fn of_unknown() -> Retry {
        Retry { was_heard: false, ..Retry::of_known() }
    }

    /// Waits before the next try; gives the failure back if there is to be none. `report` is called at the first one.
    pub async fn again(&mut self, failure: Failure, report: impl FnOnce(&Failure)) -> Result<(), Failure> {
        // Room on a disk does not come by itself.
        let may_pass = failure.exit == Exit::Unavailable && failure.code != "disk_full";
        let is_lost = may_pass && (self.was_heard || failure.code != UNREACHABLE);
        let since = *self.silent_since.get_or_insert_with(crate::output::times::clock);
        if !is_lost || since.elapsed() > PATIENCE {
            return Err(failure);
        }
        if self.wait == SHORTEST {
            report(&failure);
        }
        tokio::time::sleep(self.wait).await;
        self.wait = LONGEST.min(self.wait * 2);
        self.was_heard = true;
        Ok(())
    }
}
