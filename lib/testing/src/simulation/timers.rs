//! Timers that follow late, twice or not at all.

use super::process::Life;
use super::world::World;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use tidemill_local::timers::LocalTimers;
use tidemill_model::deployment::Deployment;
use tidemill_operations::plane::Timer;
use tidemill_operations::{Code, Error, Timers};

/// One process's way to the timers.
pub struct SimulatedTimers {
    world: Arc<World>,
    life: Arc<Life>,
    timers: Arc<LocalTimers>,
}

impl SimulatedTimers {
    pub fn new(world: &Arc<World>, life: &Arc<Life>) -> SimulatedTimers {
        SimulatedTimers { world: world.clone(), life: life.clone(), timers: world.timers() }
    }

    /// The way there; an error where the call is lost.
    async fn pass(&self) -> Result<(), Error> {
        let world = &self.world;
        let late = if world.fails(20) { 20_000 } else { 10 };
        tokio::time::sleep(world.chance.millis(1, late)).await;
        if world.fails(5) {
            self.life.end(world);
        }
        if self.life.is_over() {
            pending().await
        }
        if world.fails(20) { Err(Error::new(Code::Unavailable, "the timers do not answer")) } else { Ok(()) }
    }
}

impl Timers for SimulatedTimers {
    fn follow<'a>(&'a self, deployment: &'a Deployment) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.pass().await?;
            self.world
                .say(self.life.name(), format_args!("timers follow {} of {}", deployment.id, deployment.revision));
            self.timers.follow(deployment).await?;
            self.pass().await
        })
    }

    fn expected(&self, deployment: &Deployment) -> Vec<Timer> {
        self.timers.expected(deployment)
    }

    fn all(&self) -> BoxFuture<'_, Result<HashMap<String, bool>, Error>> {
        Box::pin(async move {
            self.pass().await?;
            self.timers.all().await
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.pass().await?;
            self.world.say(self.life.name(), format_args!("timers lose {}", name.replace('\u{1}', "/")));
            self.timers.delete(name).await
        })
    }
}
