//! Whenever a run is killed, redoing it from its last saved checkpoint leaves the same output and the same counts as never
//! killing it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tidemill_engine::{
    Budget, Counts, Execution, Folders, Host, HostError, NetworkPolicy, Outbound, RunContext, RunFacts, SeenKeys, Step,
};
use tidemill_model::lane::Lane;
use tidemill_plan::{Edge, Node, Plan};

/// When a run is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    /// In the middle of a step.
    Within,
    /// After the sinks were flushed, before the table saved.
    BeforeSave,
    /// After the table saved.
    AfterSave,
}

/// What survives a crash: the last checkpoint and the keys, saved together.
#[derive(Default)]
struct Saved {
    checkpoint: Option<Value>,
    keys: HashMap<(String, String), String>,
}

#[derive(Default)]
struct Table(Mutex<Saved>);

impl SeenKeys for Table {
    fn seen<'a>(
        &'a self,
        component: &'a str,
        keys: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Option<String>>, HostError>> {
        let saved = self.0.lock().unwrap();
        let seen = keys.iter().map(|key| saved.keys.get(&(component.to_owned(), key.clone())).cloned()).collect();
        Box::pin(std::future::ready(Ok(seen)))
    }
}

impl Table {
    fn save(&self, step: &Step) {
        let mut saved = self.0.lock().unwrap();
        // Through text, as a table would keep it.
        saved.checkpoint = Some(serde_json::from_str(&step.checkpoint.to_string()).unwrap());
        for new in &step.new_keys {
            let before = saved.keys.insert((new.component.clone(), new.key.clone()), new.value.clone());
            assert_ne!(before.as_ref(), Some(&new.value), "a key is saved only with news");
        }
    }
}

fn context(folder: &Path, table: Arc<Table>) -> RunContext {
    let folders = Folders { readable: vec![folder.join("in")], writable: folder.join("out"), private: None };
    let outbound = Outbound::new(NetworkPolicy::Public).unwrap();
    RunContext {
        run: RunFacts {
            run_id: "run-1".to_owned(),
            object: None,
            project: "proj".to_owned(),
            version: 1,
            attempt: 1,
            trigger: "schedule".to_owned(),
            tick: None,
            previous_tick: None,
        },
        owner: None,
        input: tidemill_engine::RunInput::Nothing,
        secrets: Default::default(),
        variables: Default::default(),
        seen: table,
        now: Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
        host: Arc::new(Host { folders: Some(folders), outbound }),
        trace: Default::default(),
        listener: None,
    }
}

/// Runs to the end, killed as `cut` says at each step for which it gives something; returns the number of steps, and what
/// was counted.
async fn run(plan: &Plan, folder: &Path, budget: &Budget, cut: impl Fn(usize) -> Option<Cut>) -> (usize, Counts) {
    let table = Arc::new(Table::default());
    let mut steps = 0;
    'process: loop {
        let checkpoint = table.0.lock().unwrap().checkpoint.clone();
        let mut execution = Execution::start(plan, context(folder, table.clone()), checkpoint).await.unwrap();
        loop {
            steps += 1;
            let cut = cut(steps);
            if cut == Some(Cut::Within) {
                // It gives way now and then; the first time, it is killed.
                let _ = futures::poll!(Box::pin(execution.step(budget)));
                continue 'process;
            }
            let step = execution.step(budget).await.unwrap();
            if cut == Some(Cut::BeforeSave) {
                continue 'process;
            }
            table.save(&step);
            if step.done.is_some() {
                let mut counts = step.counts;
                // Work that is done again takes time again.
                counts.components.iter_mut().for_each(|component| component.micros = 0);
                return (steps, counts);
            }
            if cut == Some(Cut::AfterSave) {
                continue 'process;
            }
        }
    }
}

/// Compares every way to kill a run once, and some to kill it often, with not killing it.
async fn survives_every_cut(plan: &Plan, budget: &Budget, input: &[(&str, String)]) {
    let world = || {
        let world = tempfile::tempdir().unwrap();
        fs::create_dir_all(world.path().join("in")).unwrap();
        fs::create_dir_all(world.path().join("out")).unwrap();
        for (name, text) in input {
            fs::write(world.path().join("in").join(name), text).unwrap();
        }
        fs::write(world.path().join("out/all.ndjson"), "from before\n").unwrap();
        world
    };
    let output = |world: &Path| {
        let mut files: Vec<_> = fs::read_dir(world.join("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| !file.file_name().unwrap().to_str().unwrap().starts_with('.'));
        files.sort();
        files.iter().map(|file| fs::read_to_string(file).unwrap()).collect::<Vec<_>>()
    };
    let uncut = world();
    let (steps, counts) = run(plan, uncut.path(), budget, |_| None).await;
    let expected = output(uncut.path());
    assert!(steps > 5 && expected[0].lines().count() > 20, "{steps} steps: {expected:?}");

    for kind in [Cut::Within, Cut::BeforeSave, Cut::AfterSave] {
        for at in 1..=steps {
            let world = world();
            let (_, counted) = run(plan, world.path(), budget, |step| (step == at).then_some(kind)).await;
            assert_eq!((output(world.path()), &counted), (expected.clone(), &counts), "killed {kind:?} at step {at}");
        }
        for every in 2..5 {
            let world = world();
            let (_, counted) = run(plan, world.path(), budget, |step| (step % every == 0).then_some(kind)).await;
            let found = (output(world.path()), &counted);
            assert_eq!(found, (expected.clone(), &counts), "killed {kind:?} at every step of {every}");
        }
    }
}

/// Components by provider and config, and the edges `(from, lane, to)`.
fn plan(components: &[(&str, Value)], edges: &[(usize, Lane, usize)]) -> Plan {
    let node = |(index, (provider, config)): (usize, &(&str, Value))| Node {
        id: format!("{provider}_{index}"),
        provider: (*provider).to_owned(),
        config: config.clone(),
        outputs: edges.iter().filter(|edge| edge.0 == index).map(|edge| Edge { lane: edge.1, to: edge.2 }).collect(),
    };
    Plan { nodes: components.iter().enumerate().map(node).collect(), has_other_source: false }
}

fn lines(count: usize) -> [(&'static str, String); 2] {
    ndjson((0..count).map(|n| format!("{{\"n\":{n},\"k\":[{},{},\"{}\"]}}\n", n % 7, n % 11, n)).collect())
}

/// A file with these lines, and another with one.
fn ndjson(lines: String) -> [(&'static str, String); 2] {
    [("a.ndjson", lines), ("b.ndjson", "{\"n\":-1,\"k\":[1]}\n".to_owned())]
}

#[tokio::test]
async fn lines_arrive_exactly_once() {
    let plan = plan(
        &[
            ("file_source", json!({ "path": "*.ndjson" })),
            ("filter", json!({ "where": ".n % 5 != 0" })),
            ("file_sink", json!({ "path": "all.ndjson" })),
        ],
        &[(0, Lane::Documents, 1), (1, Lane::Documents, 2)],
    );

    survives_every_cut(&plan, &Budget { objects: 9, ..Budget::default() }, &lines(80)).await;
}

#[tokio::test]
async fn rows_of_csv_arrive_exactly_once() {
    let plan = plan(
        &[("file_source", json!({ "path": "*.csv" })), ("file_sink", json!({ "path": "all.ndjson" }))],
        &[(0, Lane::Documents, 1)],
    );

    // Rows of several lines, line ends of both kinds, names of its own in each file, and no line end at the last.
    let rows: String = (0..60).map(|n| format!("{n},\"said \"\"{n}\"\",\nön two lines\"\r\n")).collect();
    let files = [("a.csv", format!("n,text\n{rows}")), ("b.csv", "text,n\nx,1\ny,2".to_owned())];
    survives_every_cut(&plan, &Budget { objects: 7, ..Budget::default() }, &files).await;
}

#[tokio::test]
async fn lines_of_text_arrive_exactly_once() {
    let plan = plan(
        &[
            ("file_source", json!({ "path": "*.log" })),
            ("dedupe", json!({})),
            ("file_sink", json!({ "path": "all.ndjson" })),
        ],
        &[(0, Lane::Text, 1), (1, Lane::Text, 2)],
    );

    // Lines that come again, letters of several bytes, empty lines, line ends of both kinds, and none at the last.
    let lines: String = (0..60).map(|n| format!("☃ {}{}", n % 50, ["\n", "\r\n", "\n\n"][n % 3])).collect();
    let files = [("a.log", lines), ("b.log", "the last".to_owned())];
    survives_every_cut(&plan, &Budget { objects: 7, new_keys: 4, ..Budget::default() }, &files).await;
}

#[tokio::test]
async fn a_step_that_is_killed_halfway_is_redone() {
    let plan = plan(
        &[("file_source", json!({ "path": "*.ndjson" })), ("file_sink", json!({ "path": "all.ndjson" }))],
        &[(0, Lane::Documents, 1)],
    );

    // Long lines, so that the sink's buffer is written out before the first time that a step gives way.
    let lines: String = (0..3_000).map(|n| format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "x".repeat(1_000))).collect();
    survives_every_cut(&plan, &Budget { objects: 400, ..Budget::default() }, &ndjson(lines)).await;
}

#[tokio::test]
async fn keys_and_lines_agree() {
    let plan = plan(
        &[
            ("file_source", json!({ "path": "*.ndjson" })),
            ("json", json!({ "program": ".n as $n | .k[] | {n: $n, k: .}" })),
            ("dedupe", json!({ "key": ".k" })),
            ("file_sink", json!({ "path": "all.ndjson" })),
        ],
        &[(0, Lane::Documents, 1), (1, Lane::Documents, 2), (2, Lane::Documents, 3)],
    );

    survives_every_cut(&plan, &Budget { new_keys: 4, objects: 10, ..Budget::default() }, &lines(60)).await;
}

#[tokio::test]
async fn changes_are_noticed_exactly_once() {
    let plan = plan(
        &[
            ("file_source", json!({ "path": "*.ndjson" })),
            ("changed", json!({ "key": ".k[0]", "value": ".n / 20 | floor" })),
            ("file_sink", json!({ "path": "all.ndjson" })),
        ],
        &[(0, Lane::Documents, 1), (1, Lane::Documents, 2)],
    );

    survives_every_cut(&plan, &Budget { new_keys: 3, objects: 10, ..Budget::default() }, &lines(80)).await;
}

#[tokio::test]
async fn a_digest_is_written_once_beside_its_lines() {
    let template = "{{ items | length }}: {{ items | map(attribute='n') | join(' ') }}";
    let plan = plan(
        &[
            ("file_source", json!({ "path": "*.ndjson" })),
            ("file_sink", json!({ "path": "all.ndjson" })),
            ("template", json!({ "template": template, "collect": true })),
            ("file_sink", json!({ "path": "digest.txt" })),
        ],
        &[(0, Lane::Documents, 1), (0, Lane::Documents, 2), (2, Lane::Text, 3)],
    );

    survives_every_cut(&plan, &Budget { objects: 6, ..Budget::default() }, &lines(50)).await;
}
