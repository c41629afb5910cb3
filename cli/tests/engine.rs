//! Pipelines that take more than their due: the plane answers, other runs go on, and no process stays.

use crate::command::CommandOutput;
use crate::given::Plane;
use crate::server::Server;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Computes for hours at one value, in native code that no meter stops.
const ENDLESS: &str = "reduce range(1000000) as $i ([range(500000)]; sort)";
/// Takes gigabytes, in strings that are each of a size that is allowed.
const HUGE: &str = "[range(300) | \"x\" * 16000000] | length";
/// How long what is sure to come may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

impl Plane {
    /// Deploys a pipeline that runs a program, for the owner of a key.
    fn deploy_program(&self, key: &str, project: &str, program: &str, settings: &[&str]) {
        let file = format!("{project}.pipe");
        let component = json!({"id": "program", "provider": "json", "config": {"program": program}});
        self.write_with(&file, component);
        let path = self.folder.path().join(&file);
        let text = std::fs::read_to_string(&path).unwrap().replace("\"orders\"", &format!("\"{project}\""));
        std::fs::write(path, text).unwrap();
        let deployed = self.tidemill(&[&["deploy", &file, "--key", key], settings].concat());
        assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    }

    fn key(&self) -> String {
        std::fs::read_to_string(self.folder.path().join(".tidemill/key")).unwrap().trim().to_owned()
    }

    fn key_of(&self, owner: &str) -> String {
        let made = self.tidemill(&["keys", "create", "--owner", owner, "--json"]).json();
        made["token"].as_str().or(made["key"].as_str()).unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    fn run_of(&self, id: &str) -> Value {
        self.tidemill(&["runs", "show", id, "--json"]).json()
    }

    /// Waits until a run has a state.
    fn wait_for(&self, id: &str, state: &str) -> Value {
        let since = Instant::now();
        loop {
            let run = self.run_of(id);
            if run["state"] == state {
                return run;
            }
            assert!(since.elapsed() < PATIENCE, "it is not {state}: {run}");
        }
    }

    /// Waits until an engine process computes.
    fn wait_for_computing(&self) {
        let since = Instant::now();
        while !engine_processes(self.id()).iter().any(|process| process.ticks > 20) {
            assert!(since.elapsed() < PATIENCE, "no engine process computes");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A process as `/proc` has it.
#[derive(Debug)]
struct Process {
    id: u32,
    /// Hundredths of a second that it computed.
    ticks: u64,
    nice: i32,
}

/// The children of a process.
fn engine_processes(parent: u32) -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    entries.filter_map(|id| process(id.parse().ok()?, parent)).collect()
}

fn process(id: u32, parent: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |field: usize| fields[field].parse::<i64>().ok();
    let is_child = fields[0] != "Z" && number(1)? == i64::from(parent);
    is_child.then_some(Process { id, ticks: number(11)? as u64, nice: number(16)? as i32 })
}

fn is_alive(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn milliseconds_between(run: &Value, from: &str, to: &str) -> i64 {
    let at = |field: &str| run[field].as_str().unwrap_or_else(|| panic!("{run}")).parse::<Timestamp>().unwrap();
    at(to).as_millisecond() - at(from).as_millisecond()
}

fn shown(output: &CommandOutput) -> String {
    format!("{}{}", output.stdout, output.stderr)
}

#[test]
fn a_program_that_takes_all_memory_ends_its_run_alone() {
    let plane = Plane::new();
    plane.deploy_program(&plane.key(), "huge", HUGE, &[]);
    plane.deploy_program(&plane.key(), "endless", ENDLESS, &[]);
    plane.deploy_program(&plane.key(), "small", "1 + 1", &[]);
    let beside = plane.begin_run("endless");
    plane.wait_for(&beside, "running");

    let ended = plane.tidemill(&["run", "huge", "--follow"]);

    assert_eq!(ended.code, 1, "{}", shown(&ended));
    let cause = "the process that executed it used more memory than its limit of 1024 MiB";
    assert!(shown(&ended).contains(cause), "{}", shown(&ended));
    assert_eq!(plane.run_of(&beside)["state"], "running", "a run beside it goes on");
    assert_eq!(plane.tidemill(&["run", "small", "--follow"]).code, 0);
}

#[test]
fn a_run_that_killed_its_engine_twice_fails_for_good() {
    let plane = Plane::new();
    plane.deploy_program(&plane.key(), "huge", HUGE, &["--max-attempts", "5"]);

    let ended = plane.tidemill(&["run", "huge", "--follow"]);

    let run = plane.run_of("huge");
    assert_eq!((&run["state"], &run["attempt"]), (&json!("failed"), &json!(1)), "{}", shown(&ended));
    assert!(run["error"]["message"].as_str().unwrap().ends_with("1024 MiB, 2 times"), "{run}");
    let log = shown(&plane.tidemill(&["logs", "huge"]));
    assert_eq!(log.matches("it goes on after the last save").count(), 1, "{log}");
}

#[test]
fn a_run_ends_within_a_second_of_its_cancel() {
    let plane = Plane::new();
    plane.deploy_program(&plane.key(), "endless", ENDLESS, &[]);
    let id = plane.begin_run("endless");
    plane.wait_for_computing();

    assert_eq!(plane.tidemill(&["cancel", &id]).code, 0);

    let run = plane.wait_for(&id, "cancelled");
    let late = milliseconds_between(&run, "cancelRequestedAt", "endedAt");
    assert!(late < 1_000, "it ended {late} ms after its cancel");
    let log = shown(&plane.tidemill(&["logs", &id]));
    assert!(log.contains("cut off in the middle of a value"), "{log}");
    assert_eq!(run["components"][1]["in"], 1, "the value in hand is counted: {run}");
    assert!(engine_processes(plane.id()).iter().all(|process| process.ticks < 20), "what computed is gone");
}

#[test]
fn a_run_ends_within_a_second_of_its_time_limit() {
    let plane = Plane::new();
    plane.deploy_program(&plane.key(), "endless", ENDLESS, &["--timeout", "2"]);
    let id = plane.begin_run("endless");

    let run = plane.wait_for(&id, "timed_out");

    let took = milliseconds_between(&run, "startedAt", "endedAt");
    assert!((2_000..3_000).contains(&took), "it took {took} ms of 2 s");
}

#[test]
fn no_engine_process_outlives_its_plane() {
    for signal in ["-KILL", "-INT"] {
        let plane = Plane::new();
        plane.deploy_program(&plane.key(), "endless", ENDLESS, &[]);
        plane.begin_run("endless");
        plane.wait_for_computing();
        let processes = engine_processes(plane.id());

        let kill = std::process::Command::new("kill").args([signal, &plane.id().to_string()]).status().unwrap();

        assert!(kill.success());
        let since = Instant::now();
        while processes.iter().any(|process| is_alive(process.id)) {
            assert!(since.elapsed() < PATIENCE, "{signal}: {processes:?} live on");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn two_busy_owners_do_not_slow_a_third() {
    let plane = Plane::new();
    plane.deploy_program(&plane.key(), "small", "1 + 1", &[]);
    for owner in ["ana", "ben"] {
        let key = plane.key_of(owner);
        for number in 0..6 {
            let project = format!("{owner}-{number}");
            plane.deploy_program(&key, &project, ENDLESS, &[]);
            assert_eq!(plane.tidemill(&["run", &project, "--key", &key]).code, 0);
        }
    }
    let since = Instant::now();
    let are_lowered = || engine_processes(plane.id()).iter().filter(|process| process.nice >= 8).count() == 12;
    while !are_lowered() {
        assert!(since.elapsed() < PATIENCE, "they keep their priority: {:?}", engine_processes(plane.id()));
        std::thread::sleep(Duration::from_millis(50));
    }

    let before: u64 = engine_processes(plane.id()).iter().map(|process| process.ticks).sum();
    let ended = plane.tidemill(&["run", "small", "--follow"]);
    let after: u64 = engine_processes(plane.id()).iter().map(|process| process.ticks).sum();

    assert_eq!(ended.code, 0, "{}", shown(&ended));
    assert!(after - before < 500, "the others computed for {} ms meanwhile", (after - before) * 10);
    assert_eq!(engine_processes(plane.id()).iter().filter(|process| process.nice >= 8).count(), 12, "they go on");
}

#[test]
fn an_object_of_a_task_that_fails_halfway_is_not_tried_again() {
    let plane = Plane::with(&["--allow-private-network"]);
    let server = Server::answering("{}");
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let call = |id: &str, url: &str, lane: &str, from: &str| {
        let input = json!([{"lane": lane, "from": from}]);
        json!({"id": id, "provider": "http_request", "config": {"url": url, "retries": 0}, "input": input})
    };
    let pipeline = json!({"project_id": "calls", "source": "in", "components": [
        {"id": "in", "provider": "webhook", "config": {}},
        call("first", &server.url, "documents", "in"),
        call("second", &format!("http://{nowhere}"), "text", "first"),
        {"id": "out", "provider": "response", "config": {}, "input": [{"lane": "text", "from": "second"}]},
    ]});
    let opened = plane.post("/task", &pipeline);
    let token = opened["data"]["token"].as_str().unwrap_or_else(|| panic!("{opened}"));

    let sent = plane.post(&format!("/webhook?token={token}"), &json!({"an": "object"}));

    assert!(sent.to_string().contains("second"), "it is what failed: {sent}");
    assert_eq!(server.requests().len(), 1, "the first call is made once: {sent}");
}
