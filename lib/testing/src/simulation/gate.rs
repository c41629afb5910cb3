//! The way of each call to the table: it may be late, get lost before or after it was carried out, be refused, or be
//! the last thing that its process does.

use super::bells::SimulatedQueue;
use super::process::Life;
use super::request::Asked;
use super::world::World;
use super::wrong::Mistake;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::json;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tidemill_local::table;
use tidemill_model::run::Run;
use tidemill_operations::Bell;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    /// It does not reach the table, and its caller gets an error.
    Lost,
    /// It is carried out, and its caller gets an error.
    AnswerLost,
    Throttled,
    DiesBefore,
    DiesAfter,
}

/// The transport of one process.
#[derive(Clone)]
struct Gate {
    world: Arc<World>,
    life: Arc<Life>,
    queue: SimulatedQueue,
}

/// The transport of a process, into the table of its world.
pub fn transport(world: &Arc<World>, life: &Arc<Life>, queue: &SimulatedQueue) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Gate { world: world.clone(), life: life.clone(), queue: queue.clone() });
    http_client_fn(move |_, _| connector.clone())
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl HttpConnector for Gate {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let gate = self.clone();
        HttpConnectorFuture::new(async move { gate.pass(Asked::of(&request, gate.world.mistake.as_ref())).await })
    }
}

impl Gate {
    async fn pass(&self, asked: Asked) -> Result<HttpResponse, ConnectorError> {
        let fate = self.fate();
        if self.world.mistake == Some(Mistake::BellFirst) {
            asked.new_runs().iter().for_each(|run| self.queue.send(&run_bell(run), Duration::ZERO));
        }
        tokio::time::sleep(self.delay(&asked)).await;
        self.stop_if_dead().await;
        self.world.count(asked.conditions());
        let name = self.life.name();
        if fate == Fate::Answered {
            self.world.say(name, &asked);
        } else {
            self.world.say(name, format_args!("{asked} {fate:?}"));
        }
        match fate {
            Fate::Lost => return Err(lost()),
            Fate::Throttled => return table::response(400, throttled()),
            Fate::DiesBefore => self.die().await,
            _ => {}
        }
        let answer = self.carry_out(&asked);
        if fate == Fate::DiesAfter {
            self.die().await
        }
        tokio::time::sleep(self.delay(&asked)).await;
        self.stop_if_dead().await;
        if fate == Fate::AnswerLost { Err(lost()) } else { table::response(answer.0, answer.1) }
    }

    fn fate(&self) -> Fate {
        let world = &self.world;
        if !world.fails(45) {
            return Fate::Answered;
        }
        *world.chance.one_of(&[
            Fate::Lost,
            Fate::AnswerLost,
            Fate::AnswerLost,
            Fate::Throttled,
            Fate::DiesBefore,
            Fate::DiesAfter,
        ])
    }

    /// Most calls take milliseconds, a few as long as a lease.
    fn delay(&self, asked: &Asked) -> Duration {
        let world = &self.world;
        let slow = if asked.is_write() { world.day.slow_writes(world.time.now()) } else { world.day.slow_reads() };
        match world.fails(slow) {
            true if world.chance.is(500) => world.chance.millis(10_000, 45_000),
            true => world.chance.millis(1_000, 45_000),
            false => world.chance.millis(1, 12),
        }
    }

    fn carry_out(&self, asked: &Asked) -> (u16, String) {
        if self.world.mistake == Some(Mistake::OneByOne) && asked.operation == "TransactWriteItems" {
            return self.carry_out_one_by_one(asked);
        }
        self.carry_out_at_once(asked)
    }

    fn carry_out_one_by_one(&self, asked: &Asked) -> (u16, String) {
        let mut answer = (200, "{}".to_owned());
        for write in asked.one_by_one() {
            answer = self.carry_out_at_once(&write);
            if answer.0 != 200 || self.world.fails(30) {
                break;
            }
        }
        answer
    }

    fn carry_out_at_once(&self, asked: &Asked) -> (u16, String) {
        let (status, answer) = table::answer(&self.world.database, &asked.operation, &asked.text);
        if status == 200 {
            self.world.written(asked.writes());
        } else {
            self.world.say(self.life.name(), format_args!("  {}", asked.refusal(&answer)));
            self.note_what_refused(asked, &answer);
        }
        match asked.index().filter(|_| !self.world.is_calm()) {
            Some(_) => (status, asked.lagging(&answer, self.world.time.now())),
            None => (status, answer),
        }
    }

    /// Notes which condition alone kept a write from being made. A second line never does.
    fn note_what_refused(&self, asked: &Asked, answer: &str) {
        if self.world.mistake.is_some() || !is_condition(answer) {
            return;
        }
        let conditions = asked.conditions();
        for alone in conditions.iter().filter(|condition| asked.is_refused_for(condition, &self.world.database)) {
            if Mistake::is_second_line(alone) {
                self.world.violated(format!("a condition that never decides alone did: {alone}"));
            }
            self.world.decided(alone);
        }
    }

    async fn die(&self) {
        self.life.end(&self.world);
        pending().await
    }

    async fn stop_if_dead(&self) {
        if self.life.is_over() {
            pending().await
        }
    }
}

/// Whether the table refused a write for a condition.
fn is_condition(answer: &str) -> bool {
    answer.contains("ConditionalCheckFailed")
}

fn run_bell(run: &Run) -> Bell {
    Bell::Run { owner: run.owner.clone(), deployment: run.deployment.clone(), run: run.id.clone() }
}

fn lost() -> ConnectorError {
    ConnectorError::io("the connection is gone".into())
}

fn throttled() -> String {
    json!({"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow down"}).to_string()
}
