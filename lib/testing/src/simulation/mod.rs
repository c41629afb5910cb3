//! A seeded simulation: the real operations on the real embedded table, with processes, bells, timers and clocks that fail as the seed
//! says, and users who do what the seed says.
//!
//! A simulation runs on one thread, in tokio's paused time. Every call of the table waits for a drawn time and has a drawn fate
//! ([`gate`]); so the seed alone decides which process does what when, and the same seed gives the same trace again. What the users
//! mostly do follows from its last digit ([`day`]).
//!
//! After each write [`step`] checks what must hold of it; after each one that the table refused, the gate checks that none of the
//! conditions decided alone that never do ([`wrong`]); once the trouble is over and everything came to rest, [`end`] checks what must be
//! left. All of them read the table alone, against the answers that users got.
//!
//! Not simulated: WebSockets, what pipelines do outside of the plane, and AWS itself.

mod action;
mod bells;
mod chance;
mod clock;
mod cluster;
mod day;
mod end;
mod gate;
mod mirror;
mod pipelines;
mod process;
mod request;
mod step;
mod timers;
mod users;
mod world;
mod wrong;

pub use chance::Chance;
pub use wrong::{KnownMistake, Mistake};

use cluster::Cluster;
use day::Day;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tidemill_local::table;
use tidemill_model::ids::OwnerId;
use tidemill_model::key::{KeyKind, Scope};
use tidemill_operations::key;
use tidemill_store::Store;
use users::Users;
use world::World;

/// Whose everything is.
const OWNER: &str = "ana";
/// How long the trouble goes on after the users are done.
const AFTERMATH: Duration = Duration::from_secs(20);
/// How long everything may take to come to rest.
const ROUNDS: usize = 180;

/// What a seed led to.
pub struct Outcome {
    /// Each thing that happened, with its time.
    pub trace: Vec<String>,
    /// The first thing that did not hold.
    pub violation: Option<String>,
    /// The conditions of the writes that were sent.
    pub conditions: BTreeSet<String>,
    /// How many writes each condition refused that no other one would have refused.
    pub decided: BTreeMap<String, usize>,
    /// Calls of the table.
    pub calls: usize,
}

/// Plays a seed through, with or without a mistake.
pub fn simulate(seed: u64, mistake: Option<Mistake>) -> Outcome {
    Mistake::make(mistake.as_ref());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime can be made");
    let world = runtime.block_on(async {
        let world = Arc::new(World::new(seed, mistake));
        live(&world).await;
        world
    });
    drop(runtime);
    Mistake::make(None);
    let remains = world.remains();
    let (trace, conditions, decided) = (remains.trace, remains.conditions, remains.decided);
    Outcome { trace, violation: remains.violation, conditions, decided, calls: remains.calls }
}

async fn live(world: &Arc<World>) {
    let key = first_key(world).await;
    if world.day == Day::Tasks {
        world.open_tasks_elsewhere();
    }
    let cluster = Cluster::start(world);
    let users = Arc::new(Users::new(&cluster, key));
    let days: Vec<_> = (0..world.day.users()).map(|_| tokio::spawn(users.clone().live())).collect();
    for day in days {
        if day.await.is_err() {
            world.violated("a user panicked".into());
        }
    }
    tokio::time::sleep(AFTERMATH).await;
    world.calm_down();
    come_to_rest(&cluster).await;
    if !world.is_violated() {
        users.call_each_hook().await;
        let known = std::mem::take(&mut *users.known());
        let checked = end::check(&cluster, &known).await;
        checked.unwrap_or_else(|wrong| world.violated(wrong));
    }
}

/// Makes the table, and in it the key of the users.
async fn first_key(world: &Arc<World>) -> String {
    let client = aws_sdk_dynamodb::Client::from_conf(table::config(table::http_client(&world.database)).build());
    let store = Store::new(client, table::TABLE);
    store.create_table().await.expect("the table can be made");
    let input = key::create::Input { scopes: Some(Scope::ALL.to_vec()), name: None, expires_at: None };
    let ambient = clock::ProcessClock::new(world.time, world.chance.draw());
    let owner = OwnerId::parse(OWNER).expect("the name is well formed");
    let made = key::create::make(&store, &ambient, KeyKind::Local, owner, input).await;
    made.expect("a key can be made").1.expose().to_owned()
}

/// Waits until everything that was there when the trouble ended came to its end.
async fn come_to_rest(cluster: &Cluster) {
    let world = &cluster.world;
    let calm_since = world.time.now();
    let mut open = None;
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_secs(5)).await;
        if world.is_violated() {
            return;
        }
        open = end::open(&world.state().mirror, calm_since);
        if open.is_none() && world.time.now() > calm_since + end::LEAST {
            return;
        }
    }
    if let Some(open) = open {
        world.violated(open);
    }
}
