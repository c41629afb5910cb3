//! The log of a run, read part by part. The plane numbers the parts, so no line comes twice and none is left out, also when
//! the plane is restarted in between.

use crate::api::client::{Client, Path};
use crate::api::retry;
use crate::api::views::{Logs, Run};
use crate::failure::Failure;

/// A place in a log.
pub struct Log<'a> {
    client: &'a Client,
    path: Path,
    next: u32,
}

impl<'a> Log<'a> {
    /// The beginning of a run's log.
    pub fn of(client: &'a Client, run: &Run) -> Log<'a> {
        Log { client, path: Path::new(&["runs", &run.id, "logs"]).with("project", &run.project), next: 0 }
    }

    /// The lines that came since the last call. A plane that does not answer is waited for, after `report`.
    pub async fn more(&mut self, report: impl Fn(&Failure)) -> Result<Logs, Failure> {
        let path = self.path.clone().with("from", self.next);
        let logs: Logs = retry::read(self.client, &path, report).await?.read()?;
        self.next = logs.next;
        Ok(logs)
    }
}
