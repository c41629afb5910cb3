//! What the table of functions lets each function do to the table, the timers and the queues is what the function does: it
//! needs no other right, and uses each that it has. Every function is called here in all the ways that reach other items.
//! The roles of the template allow the same.

mod checkly;
mod environments;
mod rollouts;
mod sockets;
mod tasks;

use crate::given::{chain, copy, echo, lines, lose_timers};
use crate::sam::{self, Statement, Template};
use futures::future::BoxFuture;
use http::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{ConnectionId, OwnerId, ProjectId, RunId};
use tidemill_operations::plane::Timer;
use tidemill_operations::{Bell, Error, Queue, QueueKind, Reached, Sockets, Timers};
use tidemill_protocols::functions::{self, Function, On, bell_handler, named};
use tidemill_protocols::rights::Right;
use tidemill_testing::{ApiGateway, Metered, TestPlane, User, minutes, pipeline};

/// An action of DynamoDB, with the partition keys that it is asked for at once.
type Need = (String, BTreeSet<String>);

/// What `hook_receive` does while it waits for the run: here nothing would run meanwhile.
const WHILE_A_HOOK_WAITS: [(&str, &str); 2] = [("GetItem", "P#*"), ("Query", "P#*")];

/// What each function did so far.
#[derive(Default)]
pub struct Seen {
    calls: BTreeMap<&'static str, BTreeSet<Need>>,
    bells: BTreeMap<&'static str, BTreeSet<String>>,
    rang: Rang,
}

impl Seen {
    /// A world whose timers, queue and WebSockets note what is asked of them, and where a connection watches ana's tasks.
    pub async fn world(&self) -> TestPlane {
        let world = self.unwatched_world().await;
        let mut watcher = world.visits(&ana(&world).await).await;
        watcher.ask("rrext_monitor", json!({"token": "*", "types": ["task", "summary", "output"]})).await.ok();
        world
    }

    pub async fn unwatched_world(&self) -> TestPlane {
        let mut world = TestPlane::new().await;
        let plane = Arc::get_mut(&mut world.plane).expect("no other has it yet");
        // As functions are: each reads what another one wrote.
        plane.workers.alone = false;
        plane.timers = Arc::new(Heard { inner: plane.timers.clone(), rang: self.rang.clone() });
        plane.queue = Arc::new(Heard { inner: plane.queue.clone(), rang: self.rang.clone() });
        plane.sockets = Some(Arc::new(Heard { inner: world.gateway.clone(), rang: self.rang.clone() }));
        world
    }

    /// Notes what is done while a function answers.
    pub async fn note<T>(&mut self, function: &'static str, world: &TestPlane, answered: impl Future<Output = T>) -> T {
        silence(world).await;
        world.faults.die(None);
        self.rang.take();
        let answer = Box::pin(answered).await;
        self.calls.entry(function).or_default().extend(world.faults.calls().iter().flat_map(needs));
        self.bells.entry(function).or_default().extend(self.rang.take());
        answer
    }
}

/// Lets the next change ring for those who watch.
async fn silence(world: &TestPlane) {
    let (owner, store) = (OwnerId::parse("ana").unwrap(), &world.plane.store);
    if let Some(seen) = store.watching(&owner).await.unwrap() {
        store.begin_notifying(&owner, &seen, world.now()).await.unwrap();
    }
}

/// What was asked of timers and queues, as policies name it.
#[derive(Clone, Default)]
struct Rang(Arc<Mutex<BTreeSet<String>>>);

impl Rang {
    fn add<const N: usize>(&self, actions: [&str; N]) {
        self.0.lock().unwrap().extend(actions.map(str::to_owned));
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Heard<T: ?Sized> {
    rang: Rang,
    inner: Arc<T>,
}

/// What `SchedulerTimers` in lib/aws does for each of these.
impl Timers for Heard<dyn Timers> {
    fn follow<'a>(&'a self, deployment: &'a Deployment) -> BoxFuture<'a, Result<(), Error>> {
        self.rang.add(["scheduler:ListSchedules", "scheduler:DeleteSchedule"]);
        if !deployment.state.is_removed() {
            self.rang.add(["scheduler:CreateSchedule", "scheduler:UpdateSchedule", "iam:PassRole"]);
        }
        self.inner.follow(deployment)
    }

    fn expected(&self, deployment: &Deployment) -> Vec<Timer> {
        self.inner.expected(deployment)
    }

    fn all(&self) -> BoxFuture<'_, Result<HashMap<String, bool>, Error>> {
        self.rang.add(["scheduler:ListSchedules"]);
        self.inner.all()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.rang.add(["scheduler:DeleteSchedule"]);
        self.inner.delete(name)
    }
}

impl Queue for Heard<dyn Queue> {
    fn ring<'a>(&'a self, bell: Bell, delay: Duration) -> BoxFuture<'a, Result<(), Error>> {
        match &bell {
            Bell::Tick { .. } => self.rang.add(["sqs:SendMessage TicksQueue.Arn"]),
            Bell::Run { .. } => self.rang.add(["sqs:SendMessage RunsQueue.Arn"]),
            Bell::Rollout { .. } => self.rang.add(["sqs:SendMessage RolloutsQueue.Arn"]),
            Bell::Watch { .. } | Bell::Strangers => self.rang.add(["sqs:SendMessage SocketsQueue.Arn"]),
        }
        self.inner.ring(bell, delay)
    }

    fn ring_again<'a>(&'a self, bell: Bell) -> BoxFuture<'a, Result<(), Error>> {
        self.ring(bell, Duration::ZERO)
    }
}

impl Sockets for Heard<ApiGateway> {
    fn send<'a>(&'a self, connection: &'a ConnectionId, text: &'a str) -> BoxFuture<'a, Result<Reached, Error>> {
        self.rang.add(["execute-api:ManageConnections POST"]);
        self.inner.send(connection, text)
    }

    fn close<'a>(&'a self, connection: &'a ConnectionId) -> BoxFuture<'a, Result<(), Error>> {
        self.rang.add(["execute-api:ManageConnections DELETE"]);
        self.inner.close(connection)
    }
}

fn needs(call: &Metered) -> Vec<Need> {
    let request = &call.request;
    let tables = || request["RequestItems"].as_object().into_iter().flat_map(|tables| tables.values());
    let keys: Vec<&Value> = match call.operation.as_str() {
        "GetItem" | "DeleteItem" | "UpdateItem" => vec![&request["Key"]["pk"]],
        "PutItem" => vec![&request["Item"]["pk"]],
        "Query" if request["IndexName"].is_string() => return vec![("Query".into(), BTreeSet::from(["index".into()]))],
        "Query" => vec![&request["ExpressionAttributeValues"][":pk"]],
        "BatchGetItem" => tables().flat_map(|table| table["Keys"].as_array().unwrap()).map(|key| &key["pk"]).collect(),
        "BatchWriteItem" => {
            let writes = tables().flat_map(|table| table.as_array().unwrap());
            writes
                .map(|one| {
                    one.get("PutRequest").map_or_else(|| &one["DeleteRequest"]["Key"]["pk"], |put| &put["Item"]["pk"])
                })
                .collect()
        }
        "TransactWriteItems" => return transaction(request["TransactItems"].as_array().unwrap()),
        other => panic!("`{other}` is not known here"),
    };
    vec![(call.operation.clone(), partitions(&keys))]
}

/// A transaction is allowed by what allows its parts, each of them for the keys of all:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
fn transaction(items: &[Value]) -> Vec<Need> {
    let parts = items.iter().map(|item| match (&item["Put"], &item["Update"], &item["Delete"]) {
        (Value::Object(put), ..) => ("PutItem", &put["Item"]["pk"]),
        (_, Value::Object(update), _) => ("UpdateItem", &update["Key"]["pk"]),
        (.., Value::Object(delete)) => ("DeleteItem", &delete["Key"]["pk"]),
        _ if item["ConditionCheck"].is_object() => ("ConditionCheckItem", &item["ConditionCheck"]["Key"]["pk"]),
        _ => panic!("this part is not known here: {item}"),
    });
    let (actions, keys): (BTreeSet<_>, Vec<_>) = parts.unzip();
    let keys = partitions(&keys);
    actions.into_iter().map(|action| (action.to_owned(), keys.clone())).collect()
}

fn partitions(keys: &[&Value]) -> BTreeSet<String> {
    keys.iter().map(|key| partition(key["S"].as_str().expect("a partition key is text"))).collect()
}

fn partition(key: &str) -> String {
    key.split_once('#').map_or_else(|| key.to_owned(), |(letter, _)| format!("{letter}#*"))
}

fn bell_of(project: &str) -> (OwnerId, DeploymentId) {
    (OwnerId::parse("ana").unwrap(), ProjectId::parse(project).unwrap().into())
}

pub async fn tick(world: &TestPlane, project: &str) {
    let handle = bell_handler(QueueKind::Ticks);
    let (owner, deployment) = bell_of(project);
    handle(&world.plane, Bell::Tick { owner, deployment }, None).await.unwrap();
}

pub async fn execute(world: &TestPlane, project: &str, run: &str) {
    let handle = bell_handler(QueueKind::Runs);
    let (owner, deployment) = bell_of(project);
    handle(&world.plane, Bell::Run { owner, deployment, run: RunId::parse(run).unwrap() }, None).await.unwrap();
}

pub async fn notify(world: &TestPlane, bell: Bell) {
    let handle = bell_handler(QueueKind::Sockets);
    handle(&world.plane, bell, None).await.unwrap();
}

pub async fn sweep(world: &TestPlane) {
    let On::Minute(handle) = &named("plane_sweep").unwrap().on else { panic!("it looks every minute") };
    handle(&world.plane).await.unwrap();
}

/// A request with an idempotency key.
pub async fn once(user: &User, method: Method, path: &str, body: Value) -> Value {
    let headers = [("content-type", "application/json"), ("idempotency-key", "once")];
    user.send(method, path, &headers, body.to_string().into_bytes()).await.body
}

fn id(run: &Value) -> String {
    run["id"].as_str().unwrap_or_else(|| panic!("this is no run: {run}")).to_owned()
}

/// A new key for each request, so that each notes its first use.
pub async fn ana(world: &TestPlane) -> User {
    world.user("ana").await
}

async fn keys_and_secrets(seen: &mut Seen) {
    let world = seen.world().await;
    let On::Invoke(issue) = &named("key_issue").unwrap().on else { panic!("it is invoked") };
    seen.note("key_issue", &world, issue(&world.plane, json!({"owner": "ana"}))).await.unwrap();
    let user = ana(&world).await;
    let made = seen.note("key_create", &world, user.post("/v1/keys", json!({}))).await.ok();
    let user = ana(&world).await;
    for _ in 0..2 {
        seen.note("key_create", &world, once(&user, Method::POST, "/v1/keys", json!({}))).await;
    }
    let user = ana(&world).await;
    seen.note("key_list", &world, user.get("/v1/keys")).await.ok();
    let user = ana(&world).await;
    let path = format!("/v1/keys/{}", made["id"].as_str().unwrap());
    seen.note("key_revoke", &world, user.delete(&path)).await.ok();

    let user = ana(&world).await;
    seen.note("secret_set", &world, user.put("/v1/secrets/TOKEN", json!({"value": "t"}))).await.ok();
    let user = ana(&world).await;
    seen.note("secret_set", &world, once(&user, Method::PUT, "/v1/secrets/TOKEN", json!({"value": "t"}))).await;
    let user = ana(&world).await;
    seen.note("secret_list", &world, user.get("/v1/secrets")).await.ok();
    let user = ana(&world).await;
    seen.note("secret_remove", &world, user.delete("/v1/secrets/TOKEN")).await.ok();

    let user = ana(&world).await;
    let secret = chain(
        "p",
        &[("timer", json!({}), "text"), ("template", json!({"template": "${A}"}), "text"), ("log", json!({}), "")],
    );
    seen.note("pipeline_validate", &world, user.post("/v1/validate", json!({"pipeline": secret}))).await.ok();
    let user = ana(&world).await;
    seen.note("provider_list", &world, user.get("/v1/providers")).await.ok();
    let user = ana(&world).await;
    seen.note("caller_get", &world, user.get("/v1/me")).await.ok();
    seen.note("plane_health", &world, world.anonymous().get("/v1/health")).await.ok();
    seen.note("schema_get", &world, world.anonymous().get("/v1/schema")).await.ok();
}

/// Has a hook take a body whose run waits for a worker.
async fn with_waiting_run(world: &TestPlane, project: &str) {
    let deployment = ana(world).await.get(&format!("/v1/deployments/{project}")).await.ok();
    let headers = [("content-type", "text/plain")];
    let hook = deployment["hook"].as_str().unwrap();
    world.anonymous().send(Method::POST, hook, &headers, b"hi".to_vec()).await.ok();
}

/// Has the plane stop a deployment.
async fn stopped(world: &TestPlane, project: &str) {
    let (owner, store) = (OwnerId::parse("ana").unwrap(), &world.plane.store);
    let id = ProjectId::parse(project).unwrap().into();
    let before = store.deployment(&owner, &id).await.unwrap().unwrap();
    let state = State::Errored { reason: "a test".into(), at: before.updated_at };
    let after = Deployment { state, revision: before.revision + 1, ..before.clone() };
    store.transaction().deployment(&after, before.revision).unwrap().commit().await.unwrap();
}

async fn deployments(seen: &mut Seen) {
    let world = seen.world().await;
    let add = json!({"pipeline": pipeline("p"), "schedule": "* * * * *"});
    for _ in 0..2 {
        let user = ana(&world).await;
        seen.note("deployment_add", &world, once(&user, Method::POST, "/v1/deployments", add.clone())).await;
    }
    world.advance(minutes(2)).await;
    let mut changed = pipeline("p");
    changed["name"] = "changed".into();
    world.sleep(minutes(2));
    let user = ana(&world).await;
    let update = once(&user, Method::PATCH, "/v1/deployments/p", json!({"pipeline": changed}));
    seen.note("deployment_update", &world, update).await;
    world.advance(minutes(2)).await;
    let with_hook = json!({"pipeline": echo("w")});
    ana(&world).await.post("/v1/deployments", with_hook.clone()).await.ok();
    with_waiting_run(&world, "w").await;
    stopped(&world, "w").await;
    let user = ana(&world).await;
    seen.note("deployment_update", &world, user.patch("/v1/deployments/w", with_hook)).await.ok();
    for (function, action) in [("deployment_pause", "/pause"), ("deployment_resume", "/resume")] {
        let user = ana(&world).await;
        seen.note(function, &world, user.post(&format!("/v1/deployments/w{action}"), Value::Null)).await.ok();
    }
    let user = ana(&world).await;
    seen.note("deployment_remove", &world, user.delete("/v1/deployments/w")).await.ok();

    for (function, path) in [
        ("deployment_list", "/v1/deployments"),
        ("deployment_get", "/v1/deployments/p"),
        ("version_list", "/v1/deployments/p/versions"),
        ("version_get", "/v1/deployments/p/versions/1"),
        ("tick_list", "/v1/deployments/p/ticks"),
        ("tick_why", "/v1/deployments/p/why?time=2026-03-02T10:02:00Z"),
    ] {
        let user = ana(&world).await;
        seen.note(function, &world, user.get(path)).await.ok();
    }
    for (function, action) in [("deployment_pause", "/pause"), ("deployment_resume", "/resume")] {
        world.sleep(minutes(2));
        let user = ana(&world).await;
        seen.note(function, &world, user.post(&format!("/v1/deployments/p{action}"), Value::Null)).await.ok();
    }
    world.sleep(minutes(2));
    let user = ana(&world).await;
    seen.note("deployment_remove", &world, user.delete("/v1/deployments/p")).await.ok();
    let user = ana(&world).await;
    seen.note("deployment_add", &world, user.post("/v1/deployments", add)).await.ok();
}

async fn runs(seen: &mut Seen) {
    let world = seen.world().await;
    lines(&world, 200);
    let user = ana(&world).await;
    user.put("/v1/secrets/TOKEN", json!({"value": "t"})).await.ok();
    user.deploy(copy("p"), "manual").await.ok();
    let template = json!({"template": format!("${{TOKEN}} {}", "long ".repeat(500))});
    let result =
        [("webhook", json!({}), "documents"), ("template", template, "text"), ("response", json!({"lanes": []}), "")];
    user.deploy(chain("large", &result), "manual").await.ok();

    for input in ["first", &"second ".repeat(100)] {
        let user = ana(&world).await;
        let start = user.post("/v1/deployments/p/runs", json!({"input": input}));
        let run = id(&seen.note("run_start", &world, start).await.ok());
        seen.note("run_execute", &world, execute(&world, "p", &run)).await;
    }
    let user = ana(&world).await;
    let start = once(&user, Method::POST, "/v1/deployments/large/runs", json!({"input": {}}));
    let started = seen.note("run_start", &world, start).await;
    let large = id(&started);
    seen.note("run_execute", &world, execute(&world, "large", &large)).await;

    for project in ["", "?project=large"] {
        for (function, path) in [("run_get", ""), ("run_logs", "/logs")] {
            let user = ana(&world).await;
            seen.note(function, &world, user.get(&format!("/v1/runs/{large}{path}{project}"))).await.ok();
        }
    }
    user.deploy(pipeline("none"), "manual").await.ok();
    for query in ["", "?project=large", "?project=none"] {
        let user = ana(&world).await;
        seen.note("run_list", &world, user.get(&format!("/v1/runs{query}"))).await.ok();
    }
    for project in ["", "?project=large"] {
        let waiting = id(&user.post("/v1/deployments/large/runs", json!({"input": {}})).await.ok());
        let user = ana(&world).await;
        let path = format!("/v1/runs/{waiting}/cancel{project}");
        seen.note("run_cancel", &world, user.post(&path, Value::Null)).await.ok();
    }
}

async fn bells(seen: &mut Seen) {
    let world = seen.world().await;
    let user = ana(&world).await;
    let hook = user.deploy(echo("p"), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    user.deploy(pipeline("q"), "* * * * *").await.ok();
    let mut runs = Vec::new();
    for number in 0..2 {
        let headers = [("content-type", "text/plain")];
        let sender = world.anonymous();
        let body = vec![b'0' + number; 1_000 * usize::from(number)];
        let sent = sender.send(Method::POST, &hook, &headers, body);
        runs.push(id(&seen.note("hook_receive", &world, sent).await.ok()));
    }
    world.sleep(minutes(2));
    lose_timers(&world).await;
    seen.note("plane_sweep", &world, sweep(&world)).await;
    for run in &runs {
        seen.note("run_execute", &world, execute(&world, "p", run)).await;
    }
    for _ in 0..3 {
        seen.note("deployment_tick", &world, tick(&world, "q")).await;
        world.sleep(minutes(2));
    }
    seen.note("plane_sweep", &world, sweep(&world)).await;
    // As if the sweep before had not reached the others.
    world.plane.store.note_sweep_cursor(Some(&OwnerId::parse("a").unwrap())).await.unwrap();
    seen.note("plane_sweep", &world, sweep(&world)).await;
    lose_timers(&world).await;
    let doctor = ana(&world).await;
    seen.note("plane_doctor", &world, doctor.post("/v1/doctor?fix=true", Value::Null)).await.ok();
    ticked_off_ahead(&world, "q").await;
    seen.note("plane_doctor", &world, doctor.post("/v1/doctor?fix=true", Value::Null)).await.ok();
    // Minutes up to a day from now may have run already.
    world.sleep(minutes(2));
    seen.note("deployment_tick", &world, tick(&world, "q")).await;
    // The deployment runs under a key that is revoked by now.
    doctor.delete(&format!("/v1/keys/{}", user.key_id)).await.ok();
    world.sleep(minutes(2));
    seen.note("deployment_tick", &world, tick(&world, "q")).await;
}

/// A run that is executed with its tick saves, finds keys, and leaves a large result.
async fn runs_at_their_ticks(seen: &mut Seen) {
    let world = seen.world().await;
    let user = ana(&world).await;
    lines(&world, 2);
    let source = ("file_source", json!({"path": "in.txt"}), "text");
    let pipeline = chain("p", &[source, ("dedupe", json!({}), "text"), ("response", json!({"lanes": []}), "")]);
    user.deploy(pipeline, "* * * * *").await.ok();
    world.advance(minutes(1)).await;
    lines(&world, 200);
    world.sleep(minutes(1));
    seen.note("deployment_tick", &world, tick(&world, "p")).await;
}

/// The clock is a day ahead for a moment, in which a minute runs.
async fn ticked_off_ahead(world: &TestPlane, project: &str) {
    let now = world.now();
    world.sleep(minutes(24 * 60));
    tick(world, project).await;
    world.set_clock(now);
}

/// Every function, called in all its ways.
async fn everything() -> Seen {
    let mut seen = Seen::default();
    // Each on the heap: together they are larger than a test's stack.
    Box::pin(keys_and_secrets(&mut seen)).await;
    Box::pin(deployments(&mut seen)).await;
    Box::pin(environments::environments(&mut seen)).await;
    Box::pin(runs(&mut seen)).await;
    Box::pin(bells(&mut seen)).await;
    Box::pin(runs_at_their_ticks(&mut seen)).await;
    Box::pin(tasks::tasks(&mut seen)).await;
    Box::pin(rollouts::rollouts(&mut seen)).await;
    Box::pin(sockets::sockets(&mut seen)).await;
    Box::pin(checkly::checkly(&mut seen)).await;
    seen
}

/// What a function may do to the table, as DynamoDB calls it: actions, and the keys that each is allowed for.
fn allowed(function: &Function) -> Vec<Need> {
    let of_right = |right: &Right| match right {
        Right::FindRuns => Some(("Query".to_owned(), BTreeSet::from(["index".to_owned()]))),
        right => {
            let (action, partitions) = right.of_table()?;
            Some((action.to_owned(), partitions.iter().map(|it| it.pattern().to_owned()).collect()))
        }
    };
    function.may.iter().filter_map(of_right).collect()
}

#[tokio::test]
async fn functions_may_do_to_the_table_what_they_do_and_nothing_else() {
    let seen = everything().await;
    let mut wrong = Vec::new();
    for function in functions::all() {
        let name = function.name;
        let needs = seen.calls.get(name).unwrap_or_else(|| panic!("`{name}` is not called here"));
        let allowed = allowed(function);
        for (action, keys) in needs {
            // One statement must allow all keys of a call.
            if !allowed.iter().any(|(may, allowed)| may == action && keys.is_subset(allowed)) {
                wrong.push(format!("`{name}` may not {action} {keys:?}"));
            }
        }
        let used = |action: &str, key: &str| {
            let waits = name == "hook_receive" && WHILE_A_HOOK_WAITS.contains(&(action, key));
            waits || needs.iter().any(|(used, keys)| used == action && keys.contains(key))
        };
        for (action, keys) in &allowed {
            let unused = keys.iter().filter(|key| !used(action, key));
            wrong.extend(unused.map(|key| format!("`{name}` may {action} {key}, and never does")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a right beside those on the table lets a function ask of AWS.
fn beside_table(right: &Right) -> &'static [&'static str] {
    match right {
        Right::RingTicks => &["sqs:SendMessage TicksQueue.Arn"],
        Right::RingRuns => &["sqs:SendMessage RunsQueue.Arn"],
        Right::RingRollouts => &["sqs:SendMessage RolloutsQueue.Arn"],
        Right::RingSockets => &["sqs:SendMessage SocketsQueue.Arn"],
        Right::FollowTimers => &[
            "scheduler:ListSchedules",
            "scheduler:DeleteSchedule",
            "scheduler:CreateSchedule",
            "scheduler:UpdateSchedule",
            "iam:PassRole",
        ],
        Right::DeleteTimers => &["scheduler:ListSchedules", "scheduler:DeleteSchedule"],
        Right::SendFrames => &["execute-api:ManageConnections POST"],
        Right::CloseSockets => &["execute-api:ManageConnections DELETE"],
        _ => &[],
    }
}

#[tokio::test]
async fn functions_may_ring_and_set_timers_where_they_do() {
    let seen = everything().await;
    for function in functions::all() {
        let allowed = function.may.iter().flat_map(beside_table).map(|action| (*action).to_owned());
        assert_eq!(allowed.collect::<BTreeSet<_>>(), seen.bells[function.name], "allowed, done: `{}`", function.name);
    }
}

/// What the template's role of a function allows, as [`beside_table`] names it.
fn allowed_by_role(function: &sam::Function<'_>) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for statement in function.statements() {
        for action in &statement.actions {
            match action.split(':').next() {
                Some("scheduler" | "iam") => allowed.extend([action.clone()]),
                Some("execute-api") => {
                    let methods = statement.resources.iter().filter_map(|resource| resource.split('/').nth(2));
                    allowed.extend(methods.map(|method| format!("{action} {method}")));
                }
                _ if action == "sqs:SendMessage" => {
                    allowed.extend(statement.resources.iter().map(|queue| format!("{action} {queue}")));
                }
                _ => {}
            }
        }
    }
    allowed
}

#[test]
fn the_roles_of_the_template_allow_what_the_table_of_functions_says() {
    for of_template in Template::read().functions() {
        let function = named(of_template.name).expect("the function is there");
        let beside = function.may.iter().flat_map(beside_table).map(|action| (*action).to_owned());
        assert_eq!(allowed_by_role(&of_template), beside.collect(), "{}", function.name);

        let index = |statement: &Statement| statement.resources.iter().any(|it| it.ends_with("/index/runs-by-owner"));
        let of_table =
            of_template.statements().into_iter().filter(|it| it.resources[0].starts_with("Table.Arn") || index(it));
        let pairs = of_table.flat_map(|statement| {
            let keys = if index(&statement) { BTreeSet::from(["index".to_owned()]) } else { statement.keys.clone() };
            let actions = statement.actions.into_iter();
            actions.map(move |action| (action.trim_start_matches("dynamodb:").to_owned(), keys.clone()))
        });
        let pairs: BTreeSet<Need> = pairs.collect();
        // Lambda's runtime reads it before the function is asked for anything.
        let layout = ("GetItem".to_owned(), BTreeSet::from(["META".to_owned()]));
        assert_eq!(pairs, allowed(function).into_iter().chain([layout]).collect(), "{}", function.name);
    }
}
