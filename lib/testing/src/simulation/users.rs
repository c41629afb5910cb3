//! Users who deploy, change, run and remove, over HTTP, at any process. What the plane accepted is noted, and must be found at the end.

use super::action::Action;
use super::cluster::Cluster;
use super::day::Day;
use super::world::World;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Where nothing fails, what was accepted is done after this.
const PROMPT: Duration = Duration::from_secs(20);
/// How often a user asks who gets no answer.
const TRIES: usize = 3;

/// A user of the plane, by an API key.
pub struct Users {
    cluster: Arc<Cluster>,
    key: String,
    known: Mutex<Known>,
}

/// The answers that users got.
#[derive(Default)]
pub struct Known {
    /// Runs that the plane took on.
    pub runs: Vec<String>,
    /// Rollouts that the plane took on.
    pub rollouts: Vec<String>,
    /// The newest version that the plane stored, by its project.
    pub versions: BTreeMap<String, u64>,
    pub hooks: Vec<String>,
    pub tasks: Vec<String>,
    /// The id of each key that users made, and the key.
    pub keys: Vec<(String, String)>,
    requests: u64,
}

impl Users {
    pub fn new(cluster: &Arc<Cluster>, key: String) -> Users {
        Users { cluster: cluster.clone(), key, known: Mutex::default() }
    }

    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no panic happens while it is held")
    }

    fn world(&self) -> &World {
        &self.cluster.world
    }

    fn day(&self) -> Day {
        self.world().day
    }

    /// One user's day.
    pub async fn live(self: Arc<Users>) {
        let (chance, day) = (&self.world().chance, self.day());
        for action in day.beginning(chance) {
            self.act(action).await;
        }
        for _ in 0..day.actions() {
            tokio::time::sleep(day.pause(chance, self.world().time.now())).await;
            let action = day.action(chance, &self.known());
            self.act(action).await;
        }
    }

    async fn act(&self, action: Action) {
        let request = {
            let mut known = self.known();
            known.requests += 1;
            known.requests
        };
        // Some clients send a request again before it is answered, and some after it was.
        let (answer, twin) = match action.is_remembered() && self.world().fails(self.day().twins()) {
            true => tokio::join!(self.ask(&action, request), self.ask(&action, request)),
            false => (self.ask(&action, request).await, None),
        };
        let Some((_, answer)) = answer.or(twin.clone()).filter(|(status, _)| *status < 300) else { return };
        self.note(&action, &answer);
        self.is_as_before(&action, &answer, twin.filter(|(status, _)| *status < 300));
        if action.is_remembered() && self.world().fails(100) {
            let again = self.ask(&action, request).await;
            self.is_as_before(&action, &answer, again);
        }
    }

    /// A request that is repeated under its idempotency key is answered as the first was.
    fn is_as_before(&self, action: &Action, answer: &Value, again: Option<(u16, Value)>) {
        // A project that was removed since is not shown as if it were there, and a key that was revoked since asks for nothing.
        let is_gone = |status: u16, again: &Value| {
            let text = again["message"].as_str().unwrap_or_default();
            status == 404
                || status == 409 && text.contains("removed since")
                || status == 401 && action.is_by_another_key()
        };
        let Some((status, again)) = again.filter(|(status, again)| !is_gone(*status, again)) else { return };
        let is_same = (&again["id"], &again["version"]) == (&answer["id"], &answer["version"]);
        // A hook's sender learns that the run has failed by now.
        let is_same_that_failed = again["code"] == "run_failed"
            && again["message"].as_str().zip(answer["id"].as_str()).is_some_and(|(text, id)| text.contains(id));
        if !is_same_that_failed && (status >= 300 || !is_same) {
            self.world().violated(format!("I12: {} was answered {answer}, and again {status} {again}", action.word));
        }
    }

    /// Calls each hook once more: where nothing fails, a run that was accepted ends within seconds.
    pub async fn call_each_hook(&self) {
        let hooks = self.known().hooks.clone();
        for path in hooks {
            self.act(Action::call(path)).await;
        }
        tokio::time::sleep(PROMPT).await;
    }

    /// Asks until there is an answer, good or bad.
    async fn ask(&self, action: &Action, request: u64) -> Option<(u16, Value)> {
        for _ in 0..TRIES {
            let process = self.cluster.one().await;
            self.world()
                .say(format_args!("user of {}", process.life.name()), format_args!("{} {request}", action.word));
            let asked = action.request(&self.key, request);
            let answered = tokio::time::timeout(action.patience(), process.answer(asked)).await.ok().flatten();
            self.world().say(
                "user",
                format_args!("{} {request}: {:?}", action.word, answered.as_ref().map(|(status, _)| status)),
            );
            match answered {
                Some((500, body)) => self.world().violated(format!("{} failed for a bug: {body}", action.word)),
                Some((503, _)) | None => tokio::time::sleep(self.world().chance.millis(100, 5_000)).await,
                answered => return answered,
            }
        }
        None
    }

    fn note(&self, action: &Action, answer: &Value) {
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        let mut known = self.known();
        match action.word {
            "run" | "hook" if !known.runs.contains(&text("id")) => known.runs.push(text("id")),
            "rollout" => known.rollouts.push(text("id")),
            "open task" => known.tasks.push(text("token")),
            "create key" => known.keys.push((text("id"), text("key"))),
            "add" | "update" => {
                let hook = text("hook");
                if !known.hooks.contains(&hook) {
                    known.hooks.push(hook);
                }
                let newest = known.versions.entry(text("project")).or_default();
                *newest = (*newest).max(answer["version"].as_u64().unwrap_or_default());
            }
            _ => {}
        }
    }
}
