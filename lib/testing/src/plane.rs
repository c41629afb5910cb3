//! A plane that does nothing by itself.

use crate::ambient::TestAmbient;
use crate::api_gateway::ApiGateway;
use crate::faults::Faults;
use crate::user::User;
use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::Database;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tidemill_engine::{Folders, Host, InProcess, NetworkPolicy, Outbound};
use tidemill_local::queue::LocalQueue;
use tidemill_local::timers::LocalTimers;
use tidemill_local::{KeyFileCipher, table};
use tidemill_model::calendar::Calendar;
use tidemill_model::ids::OwnerId;
use tidemill_model::key::Scope;
use tidemill_operations::bell::QueueKind;
use tidemill_operations::plane::{self, Memory, Workers};
use tidemill_operations::{Clock as _, Plane, Queue, key};
use tidemill_protocols::dap::Connections;
use tidemill_protocols::functions;
use tidemill_store::Store;

/// Where the clock of every test's plane starts.
const START: &str = "2026-03-02T10:00:30Z";
/// Bells answered before a plane counts as one that never comes to rest.
const BELLS: usize = 100_000;

/// A plane with its table, its clock and its bells.
pub struct TestPlane {
    pub plane: Arc<Plane>,
    pub clock: Arc<TestAmbient>,
    pub faults: Faults,
    pub(crate) connections: Arc<Connections>,
    pub gateway: Arc<ApiGateway>,
    queue: Arc<LocalQueue>,
    timers: Arc<LocalTimers>,
    database: Database,
    files: Arc<TempDir>,
    starts: u32,
}

impl TestPlane {
    /// A plane on an empty table.
    pub async fn new() -> TestPlane {
        let files = Arc::new(tempfile::tempdir().expect("a temporary folder can be made"));
        let clock = Arc::new(TestAmbient::at(START.parse().expect("the start is an instant")));
        let database = Database::memory_with_clock(clock.clone()).expect("a table in memory can be made");
        let world = TestPlane::assemble(database, clock, files, 0);
        world.plane.store.create_table().await.expect("the table can be made");
        world
    }

    fn assemble(database: Database, clock: Arc<TestAmbient>, files: Arc<TempDir>, starts: u32) -> TestPlane {
        let faults = Faults::default();
        let calendar = Calendar::default();
        let queue = Arc::new(LocalQueue::new(clock.clone()));
        let timers = Arc::new(LocalTimers::new(calendar));
        let transport = faults.before(table::http_client(&database));
        let retries = aws_sdk_dynamodb::config::retry::RetryConfig::disabled();
        let client = aws_sdk_dynamodb::Client::from_conf(table::config(transport).retry_config(retries).build());
        let folder = std::fs::canonicalize(files.path()).expect("the temporary folder is there");
        let folders = Folders { readable: vec![folder.clone()], writable: folder, private: None };
        let outbound = Outbound::new(NetworkPolicy::AllowPrivate).expect("a client can be made");
        let plane = Arc::new(Plane {
            store: Store::new(client, table::TABLE),
            timers: timers.clone(),
            queue: queue.clone(),
            cipher: Arc::new(KeyFileCipher::new(&[7; 32], clock.clone())),
            sockets: None,
            ambient: clock.clone(),
            calendar,
            engine: Arc::new(InProcess::on(tokio::runtime::Handle::current())),
            host: Arc::new(Host { folders: Some(folders), outbound }),
            kind: tidemill_model::key::KeyKind::Local,
            workers: Workers { me: format!("process-{starts}"), since: clock.now(), alone: true },
            memory: Memory::default(),
        });
        let connections = Arc::new(Connections::new(&plane));
        TestPlane { plane, clock, faults, connections, gateway: Arc::default(), queue, timers, database, files, starts }
    }

    /// Another process on the same table, as after SIGKILL: bells and timers are gone, the sweep starts over.
    pub async fn restarted(self) -> TestPlane {
        let sockets = self.plane.sockets.clone();
        let mut world = TestPlane::assemble(self.database, self.clock, self.files, self.starts + 1);
        world.gateway = self.gateway;
        Arc::get_mut(&mut world.plane).expect("it is the only holder").sockets = sockets;
        plane::sweep::after_start(&world.plane).await.expect("the first sweep succeeds");
        world
    }

    /// Another process on the same table, where every bell is lost.
    pub async fn without_bells(self) -> TestPlane {
        TestPlane::assemble(self.database, self.clock, self.files, self.starts + 1)
    }

    /// A user with a key of all scopes.
    pub async fn user(&self, owner: &str) -> User {
        self.user_with(owner, &Scope::ALL).await
    }

    /// A user with a key of some scopes.
    pub async fn user_with(&self, owner: &str, scopes: &[Scope]) -> User {
        let owner = OwnerId::parse(owner).expect("the owner's name is well formed");
        let input = key::create::Input { scopes: Some(scopes.to_vec()), name: None, expires_at: None };
        let plane = &self.plane;
        let made = key::create::make(&plane.store, plane.ambient.as_ref(), plane.kind, owner, input).await;
        let (key, token) = made.expect("a key can be made");
        User::new(plane.clone(), token.expose(), key.id.as_str())
    }

    /// A caller without a key.
    pub fn anonymous(&self) -> User {
        User::new(self.plane.clone(), "", "")
    }

    /// Moves the clock on, rings every timer at its minute and answers every bell, until there is none.
    pub async fn advance(&self, by: Duration) {
        let until = self.now() + SignedDuration::try_from(by).expect("tests advance by less than an age");
        loop {
            self.settle().await;
            let next = [self.timers.next_due(), self.queue.next_wake()].into_iter().flatten().min();
            match next.filter(|at| *at <= until) {
                Some(at) => self.clock.advance(at.max(self.now()).duration_since(self.now())),
                None => break,
            }
        }
        self.clock.set(until);
        self.settle().await;
    }

    /// Moves the clock on while the plane is down: nothing rings.
    pub fn sleep(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).expect("tests advance by less than an age"));
    }

    /// Sets the clock, forward or back, as a system whose time is corrected.
    pub fn set_clock(&self, now: Timestamp) {
        self.clock.set(now);
    }

    /// Rings the bells of the timers that are due.
    pub async fn ring_timers(&self) {
        for bell in self.timers.due(self.now()) {
            self.queue.ring(bell, Duration::ZERO).await.expect("the local queue takes every bell");
        }
    }

    /// Rings what is due and answers every bell that rings now.
    pub async fn settle(&self) {
        self.ring_timers().await;
        for _ in 0..BELLS {
            let mut is_quiet = true;
            for kind in [QueueKind::Ticks, QueueKind::Runs, QueueKind::Rollouts, QueueKind::Sockets] {
                is_quiet &= !self.answer(kind).await;
            }
            if is_quiet {
                return;
            }
        }
        panic!("the plane does not come to rest");
    }

    /// Answers one bell of a queue, if one is due.
    pub async fn answer(&self, kind: QueueKind) -> bool {
        let Some(bell) = self.queue.take(kind) else { return false };
        let handle = functions::bell_handler(kind);
        let answered = handle(&self.plane, bell.clone(), None).await;
        self.queue.settle(&bell, &answered);
        true
    }

    /// The sweep's minute.
    pub async fn sweep(&self) {
        plane::sweep::run(&self.plane).await.expect("the sweep succeeds");
    }

    /// The sweep's minute, in a process that knows nothing of this one's leases and answers no bells.
    pub async fn sweep_as_another(&self) {
        let other = TestPlane::assemble(self.database.clone(), self.clock.clone(), self.files.clone(), self.starts + 1);
        let mut plane = Arc::into_inner(other.plane).expect("it is the only holder");
        plane.workers.alone = false;
        plane::sweep::run(&plane).await.expect("the sweep succeeds");
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Opens the table to processes beside this one.
    #[cfg(feature = "served-table")]
    pub async fn serve_table(&self) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        tokio::spawn(dynoxide::server::serve_on(listener, self.database.clone()));
        address
    }

    /// Has the table delete what has expired, and gives how many items that were.
    pub fn expire(&self) -> usize {
        self.database.sweep_ttl().expect("the table deletes what has expired")
    }

    /// The partition and the sort key of every item of the table.
    pub async fn places(&self) -> Vec<(String, String)> {
        let client = aws_sdk_dynamodb::Client::from_conf(table::config(table::http_client(&self.database)).build());
        let pages = client.scan().table_name(table::TABLE).into_paginator().items().send();
        let items = pages.collect::<Result<Vec<_>, _>>().await.expect("the table answers");
        let text =
            |item: &HashMap<String, AttributeValue>, name: &str| item[name].as_s().expect("keys are text").clone();
        items.iter().map(|item| (text(item, "pk"), text(item, "sk"))).collect()
    }

    /// Takes items out of the table behind the plane's back, as their time to live does: those of a partition whose sort
    /// key begins so.
    pub async fn lose(&self, partition: &str, prefix: &str) {
        let client = aws_sdk_dynamodb::Client::from_conf(table::config(table::http_client(&self.database)).build());
        let value = |text: &str| AttributeValue::S(text.to_owned());
        let found = client
            .query()
            .table_name(table::TABLE)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", value(partition))
            .expression_attribute_values(":prefix", value(prefix));
        let items = found.send().await.expect("the table answers").items.unwrap_or_default();
        assert!(!items.is_empty(), "there is nothing to lose");
        for item in items {
            let delete = client.delete_item().table_name(table::TABLE);
            let delete = delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone());
            delete.send().await.expect("the table answers");
        }
    }

    /// Rewrites every item of the table behind the plane's back, under its new key where that changes.
    pub async fn rewrite(&self, change: impl Fn(&mut HashMap<String, AttributeValue>)) {
        let client = aws_sdk_dynamodb::Client::from_conf(table::config(table::http_client(&self.database)).build());
        let pages = client.scan().table_name(table::TABLE).into_paginator().items().send();
        for before in pages.collect::<Result<Vec<_>, _>>().await.expect("the table answers") {
            let mut after = before.clone();
            change(&mut after);
            let (from, to) = ((&before["pk"], &before["sk"]), (&after["pk"], &after["sk"]));
            if from != to {
                let delete = client.delete_item().table_name(table::TABLE);
                let delete = delete.key("pk", from.0.clone()).key("sk", from.1.clone());
                delete.send().await.expect("the table answers");
            }
            let put = client.put_item().table_name(table::TABLE).set_item(Some(after));
            put.send().await.expect("the table takes every item");
        }
    }

    /// Puts something at a place of the table that cannot be read as what stands there, and is in the index of what is open.
    pub fn spoil(&self, partition: &str, sort: &str) {
        let open = format!("open{}", partition.trim_start_matches('O'));
        let item = json!({"pk": {"S": partition}, "sk": {"S": sort}, "ro": {"S": open}, "spoiled": {"BOOL": true}});
        let request = json!({"TableName": table::TABLE, "Item": item});
        let request = serde_json::from_value(request).expect("the request is well formed");
        self.database.put_item(request).expect("the table takes every item");
    }

    /// Another process on the same table, beside this one: it has the same clock, and bells of its own.
    pub fn beside(&self) -> TestPlane {
        TestPlane::assemble(self.database.clone(), self.clock.clone(), self.files.clone(), self.starts + 1)
    }

    /// Where file components read and write.
    pub fn folder(&self) -> PathBuf {
        self.files.path().to_owned()
    }
}

pub fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A small pipeline that a schedule can run: a timer whose object is the result.
pub fn pipeline(project: &str) -> Value {
    json!({
        "project_id": project,
        "source": "timer_1",
        "components": [
            {"id": "timer_1", "provider": "timer", "config": {"mode": "Source", "type": "timer"}},
            {"id": "response_1", "provider": "response", "config": {"lanes": []},
             "input": [{"lane": "documents", "from": "timer_1"}]},
        ],
    })
}
