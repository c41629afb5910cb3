//! The worker of a rollout: asks [`next`] what comes next and does it, until the rollout has ended or another worker is to
//! go on with it.

use crate::error::Error;
use crate::lease::{Holding, give_back_rollout, renew_rollout};
use crate::plane::{Call, Plane};
use crate::rollout::apply::{ResourceApplier, ResourceTurn};
use crate::rollout::ending::Ending;
use crate::rollout::preparation::Preparation;
use crate::rollout::problems::failure;
use futures::future::join_all;
use tidemill_model::lease::DEATHS;
use tidemill_model::rollout::{
    ATTEMPTS, Cause, End, Failure, Next, Resource, Rollout, Start, Step, Work, check_progress, in_row, next, start,
};
use tidemill_store::Held;

/// The holder of a rollout's lease.
pub(crate) struct RolloutWorker<'a> {
    pub plane: &'a Plane,
    pub rollout: Held<Rollout>,
}

impl RolloutWorker<'_> {
    pub async fn work(&mut self) -> Result<(), Error> {
        // What an earlier worker settled and did not report ends a row of deaths.
        let settled = self.plane.store.resources(&self.rollout.id, 0).await?;
        if self
            .report(Step::Validate, in_row(settled.iter().map(|resource| resource.index)), self.rollout.resources)
            .await?
            == Holding::Lost
        {
            return Ok(());
        }
        match start(&self.rollout) {
            Start::Leave => return Ok(()),
            Start::End(end) => return self.end_unread(end).await,
            Start::Validate => {}
        }
        let preparation = Preparation::read(self.plane, &self.rollout, &settled).await?;
        let work = preparation.work(settled);
        self.work_through(&preparation, work).await
    }

    /// Gives one resource after the other its outcome, several at once, until one fails or a caller asks to stop.
    async fn work_through(&mut self, preparation: &Preparation, mut work: Work) -> Result<(), Error> {
        loop {
            match next(&self.rollout, &work, self.plane.is_stopping()) {
                Next::Leave => return Ok(()),
                Next::End(end) => return self.end(end, preparation, &work).await,
                Next::HandOver => {
                    let attempts = self.rollout.attempts;
                    return give_back_rollout(self.plane, &mut self.rollout, attempts).await;
                }
                Next::Begin => {}
                Next::Apply(batch) => {
                    let turns: Vec<&ResourceTurn> = batch.iter().map(|index| preparation.turn(*index)).collect();
                    let settled = self.apply(&turns, preparation).await?;
                    work.settled.extend(settled.into_iter().map(|resource| (resource.index, resource)));
                    if work.failed().is_some() {
                        continue;
                    }
                }
            }
            if self.report(Step::Apply, work.settled_in_row(), work.total).await? == Holding::Lost {
                return Ok(());
            }
        }
    }

    async fn apply(&self, turns: &[&ResourceTurn], preparation: &Preparation) -> Result<Vec<Resource>, Error> {
        let call = self.call();
        let applying = ResourceApplier {
            plane: self.plane,
            call: &call,
            rollout: &self.rollout,
            request: &preparation.request,
            members: &preparation.members,
        };
        join_all(turns.iter().map(|turn| applying.apply(turn))).await.into_iter().collect()
    }

    /// What is done is done in the name of the rollout's caller.
    fn call(&self) -> Call {
        Call {
            owner: self.rollout.owner.clone(),
            key: self.rollout.key.clone(),
            scopes: Vec::new(),
            now: self.plane.now(),
            idempotency: None,
        }
    }

    /// Reports how far the rollout is, to those who watch it too.
    async fn report(&mut self, step: Step, settled: u32, resources: u32) -> Result<Holding, Error> {
        let progress = self.rollout.progress_at(step, settled, resources);
        debug_assert_eq!(check_progress(&self.rollout, &progress), Ok(()));
        let holding = renew_rollout(self.plane, &mut self.rollout, &progress).await?;
        if holding == Holding::Kept {
            self.plane.memory.watches.moved(&self.rollout.id);
        }
        Ok(holding)
    }

    /// Ends a rollout that no other worker goes on with.
    pub async fn give_up(&self) -> Result<(), Error> {
        let end = self.rollout.end_without_worker();
        let message = "its worker died, and no other one took it over in time; what is settled stays as it is";
        let failure = (end != End::Cancelled).then(|| failure("worker_died", message));
        Ending::of_names(self.plane, &self.rollout).await?.write(end.state(), failure.as_ref()).await
    }

    async fn end_unread(&self, end: End) -> Result<(), Error> {
        let message = match self.rollout.deaths > DEATHS {
            true => format!("{DEATHS} workers in a row died at it without settling anything"),
            false => format!("{ATTEMPTS} attempts in a row failed without settling anything"),
        };
        let message = format!("{message}; the log of the plane says why");
        let failure = (end != End::Cancelled).then(|| failure("worker_died", message));
        Ending::of_names(self.plane, &self.rollout).await?.write(end.state(), failure.as_ref()).await
    }

    async fn end(&self, end: End, preparation: &Preparation, work: &Work) -> Result<(), Error> {
        let failure = match end {
            End::Succeeded | End::Cancelled => None,
            End::Failed(Cause::Resource(index)) => work.settled.get(&index).map(resource_failure),
            End::Failed(Cause::Invalid | Cause::WorkersDied) => preparation.failure.clone(),
        };
        let ending = Ending::of(self.plane, &self.rollout, preparation);
        match end {
            End::Succeeded => ending.succeed().await,
            _ => ending.write(end.state(), failure.as_ref()).await,
        }
    }
}

fn resource_failure(failed: &Resource) -> Failure {
    let why = failed.message.clone().unwrap_or_else(|| "it was given up".to_owned());
    failure("resource_failed", format!("`{}`: {why}", failed.logical_id))
}
