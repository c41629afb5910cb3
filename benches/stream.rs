//! Streams a generated NDJSON file through `json`, `filter` and `file_sink`, and prints the rate and the peak of memory.
//!
//! `cargo bench -p tidemill-engine --bench stream -- [megabytes]`, 100 by default.
#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use futures::future::BoxFuture;
use serde_json::json;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tidemill_engine::{
    Budget, Execution, Folders, Host, HostError, NetworkPolicy, Outbound, RunContext, RunFacts, SeenKeys,
};
use tidemill_model::lane::Lane;
use tidemill_plan::{Edge, Node, Plan};

fn main() {
    let megabytes = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let lines = generate(folder.path(), megabytes);
    for (name, chain) in [
        ("filter", vec![("filter", json!({ "where": ".level != \"debug\"" }))]),
        (
            "json, filter",
            vec![
                ("json", json!({ "program": "{id, level, total: (.price * .count)}" })),
                ("filter", json!({ "where": ".level != \"debug\"" })),
            ],
        ),
    ] {
        let start = Instant::now();
        let steps = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made")
            .block_on(run(folder.path(), &chain));
        let seconds = start.elapsed().as_secs_f64();
        let rate = lines as f64 / seconds;
        println!(
            "file_source, {name}, file_sink: {lines} objects of {megabytes} MB in {seconds:.1} s, {steps} steps: {rate:.0} objects/s, peak {}",
            peak()
        );
    }
}

fn generate(folder: &Path, megabytes: usize) -> usize {
    fs::create_dir_all(folder.join("in")).expect("the folder is writable");
    let mut out = BufWriter::new(File::create(folder.join("in/data.ndjson")).expect("the folder is writable"));
    let (mut bytes, mut lines) = (0, 0);
    while bytes < megabytes * 1_000_000 {
        let level = ["info", "debug", "error", "warn"][lines % 4];
        let line = format!(
            "{{\"id\":{lines},\"level\":\"{level}\",\"price\":{}.{:02},\"count\":{},\"name\":\"item {lines}\",\"tags\":[\"a\",\"b\"]}}\n",
            lines % 1000,
            lines % 100,
            lines % 7
        );
        out.write_all(line.as_bytes()).expect("there is room for the file");
        bytes += line.len();
        lines += 1;
    }
    out.flush().expect("there is room for the file");
    lines
}

async fn run(folder: &Path, chain: &[(&str, serde_json::Value)]) -> usize {
    let mut components = vec![("file_source", json!({ "path": "data.ndjson" }))];
    components.extend(chain.iter().cloned());
    components.push(("file_sink", json!({ "path": "out.ndjson" })));
    let last = components.len() - 1;
    let node = |(index, (provider, config)): (usize, &(&str, serde_json::Value))| Node {
        id: format!("{provider}_{index}"),
        provider: (*provider).to_owned(),
        config: config.clone(),
        outputs: (index < last).then_some(Edge { lane: Lane::Documents, to: index + 1 }).into_iter().collect(),
    };
    let plan = Plan { nodes: components.iter().enumerate().map(node).collect(), has_other_source: false };
    let mut execution = Execution::start(&plan, context(folder), None).await.expect("the plan starts");
    for step in 1.. {
        let budget = Budget { objects: usize::MAX, ..Budget::default() };
        if execution.step(&budget).await.expect("the plan runs").done.is_some() {
            return step;
        }
    }
    unreachable!("the run ends")
}

struct Nothing;

impl SeenKeys for Nothing {
    fn seen<'a>(
        &'a self,
        _component: &'a str,
        keys: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Option<String>>, HostError>> {
        Box::pin(std::future::ready(Ok(vec![None; keys.len()])))
    }
}

fn context(folder: &Path) -> RunContext {
    let folders = Folders { readable: vec![folder.join("in")], writable: folder.join("out"), private: None };
    RunContext {
        run: RunFacts {
            run_id: "bench".to_owned(),
            object: None,
            project: "bench".to_owned(),
            version: 1,
            attempt: 1,
            trigger: "manual".to_owned(),
            tick: None,
            previous_tick: None,
        },
        owner: None,
        input: tidemill_engine::RunInput::Nothing,
        secrets: Default::default(),
        variables: Default::default(),
        seen: Arc::new(Nothing),
        now: Arc::new(jiff::Timestamp::now),
        host: Arc::new(Host {
            folders: Some(folders),
            outbound: Outbound::new(NetworkPolicy::Public).expect("a client can be made"),
        }),
        trace: Default::default(),
        listener: None,
    }
}

/// The largest resident size so far, where the system shows it.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}
