//! The plane is killed by SIGKILL fifty times at random moments while twenty deployments tick every second and copy
//! their files, NDJSON, CSV and text. Afterwards every tick has exactly one outcome, every object is in the output exactly once, and the
//! doctor finds nothing.
//!
//! Real processes take real time: this is the one test that waits.

#![expect(clippy::disallowed_methods, reason = "it watches real processes")]

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const KILLS: usize = 50;
const PROJECTS: usize = 20;
/// Files that grow faster than a plane lives, so that runs are killed between two saves of their progress.
const LONG: usize = 4;

/// Lines that a file grows by before each start.
fn growth(number: usize) -> usize {
    if number < LONG { 150 } else { 10 }
}

/// How long the last plane may take to work off everything.
const PATIENCE: Duration = Duration::from_secs(120);

struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Scene {
        let scene = Scene { folder: tempfile::tempdir().expect("a temporary folder can be made") };
        for folder in ["in", "pipes"] {
            fs::create_dir(scene.path(folder)).expect("a folder can be made");
        }
        for number in 0..PROJECTS {
            let pipe = scene.path("pipes").join(format!("p{number}.pipe"));
            fs::write(pipe, pipe_of(number).to_string()).expect("a file can be written");
        }
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets every input file grow.
    fn grow(&self, round: usize) {
        for number in 0..PROJECTS {
            let format = Format::of(number);
            let path = self.path("in").join(format!("{number}.{}", format.extension()));
            let mut file = fs::File::options().create(true).append(true).open(path).expect("an input can be opened");
            let head = if round == 0 { format.head() } else { "" };
            let lines = round * growth(number)..(round + 1) * growth(number);
            let text: String = lines.map(|id| format.line(id)).collect();
            write!(file, "{head}{text}").expect("an input can be written");
        }
    }

    fn start(&self) -> Plane {
        let child = Command::new(env!("CARGO_BIN_EXE_tidemill"))
            .args(["dev", "--listen", "127.0.0.1:0", "--minute", "1", "--data"])
            .arg(self.path("data"))
            .arg("--allow-files")
            .arg(self.path("in"))
            .arg("--deploy")
            .arg(self.path("pipes"))
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let mut plane = Plane { child, url: String::new(), data: self.path("data") };
        let mut lines = BufReader::new(plane.child.stdout.take().expect("it is piped")).lines();
        let ready = lines.next().expect("it says that it is ready").expect("it can be read");
        plane.url = ready.strip_prefix("ready ").expect("the first line is `ready URL`").to_owned();
        plane
    }

    fn output(&self, number: usize) -> Vec<usize> {
        let text = fs::read_to_string(self.output_path(number)).unwrap_or_default();
        text.lines().map(|line| Format::of(number).id(line)).collect()
    }
}

/// How the objects of a project are written.
#[derive(Clone, Copy)]
enum Format {
    Ndjson,
    Csv,
    Text,
}

impl Format {
    fn of(number: usize) -> Format {
        [Format::Ndjson, Format::Csv, Format::Text][number % 3]
    }

    fn extension(self) -> &'static str {
        match self {
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            Format::Text => "txt",
        }
    }

    /// What stands before the first object.
    fn head(self) -> &'static str {
        if let Format::Csv = self { "id,text\n" } else { "" }
    }

    fn line(self, id: usize) -> String {
        match self {
            Format::Ndjson => format!("{}\n", json!({"id": id})),
            Format::Csv => format!("{id},\"in\ntwo lines\"\n"),
            Format::Text => format!("{id}\n"),
        }
    }

    /// The id of an object in the output.
    fn id(self, line: &str) -> usize {
        let text = match self {
            Format::Text => line.to_owned(),
            _ => serde_json::from_str::<Value>(line).expect("no line is cut")["id"].to_string(),
        };
        text.trim_matches('"').parse().expect("a line has its id")
    }

    /// The lane, and the key of an object on it.
    fn lane(self) -> (&'static str, &'static str) {
        match self {
            Format::Text => ("text", "."),
            _ => ("documents", ".id"),
        }
    }
}

fn pipe_of(number: usize) -> Value {
    let extension = Format::of(number).extension();
    let (lane, key) = Format::of(number).lane();
    json!({
        "schedule": "* * * * *",
        "pipeline": {
            "project_id": format!("p{number}"),
            "source": "file",
            "components": [
                {"id": "file", "provider": "file_source",
                 "config": {"mode": "Source", "path": format!("{number}.{extension}")}},
                {"id": "new", "provider": "dedupe", "config": {"key": key},
                 "input": [{"lane": lane, "from": "file"}]},
                {"id": "out", "provider": "file_sink", "config": {"path": format!("out-{number}")},
                 "input": [{"lane": lane, "from": "new"}]},
            ],
        },
    })
}

struct Plane {
    child: Child,
    url: String,
    data: PathBuf,
}

impl Plane {
    /// What a command of the client prints as JSON.
    fn ask(&self, args: &[&str]) -> Value {
        let key = fs::read_to_string(self.data.join("key")).expect("the key is there");
        let output = Command::new(env!("CARGO_BIN_EXE_tidemill"))
            .args(args)
            .args(["--json", "--url", &self.url, "--key", key.trim()])
            .output()
            .expect("the command starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn items(&self, args: &[&str]) -> Vec<Value> {
        self.ask(args)["items"].as_array().expect("a list has items").clone()
    }
}

/// Killed with SIGKILL when it is dropped, so that none outlives a test that fails.
impl Drop for Plane {
    fn drop(&mut self) {
        // One that is gone already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn fifty_kills_lose_no_tick_and_no_object_and_double_none() {
    let scene = Scene::new();
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    for round in 0..KILLS {
        scene.grow(round);
        let plane = scene.start();
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        std::thread::sleep(Duration::from_millis(20 + seed % 1200));
        drop(plane);
    }
    let plane = scene.start();
    wait_for_all_objects(&scene);
    for number in 0..PROJECTS {
        plane.ask(&["pause", &format!("p{number}")]);
    }
    for number in 0..PROJECTS {
        let project = format!("p{number}");
        wait_for_paused_ticks(&plane, &project);
        // The pause holds the runs that have not begun.
        plane.ask(&["update", &project, "--schedule", "manual"]);
        plane.ask(&["resume", &project]);
    }
    wait_for_rest(&plane);

    for number in 0..PROJECTS {
        let output = scene.output(number);
        assert_eq!(output, (0..KILLS * growth(number)).collect::<Vec<_>>(), "the output of p{number}");
        ledger_is_whole(&plane, &format!("p{number}"));
    }
    let health = plane.ask(&["doctor"]);
    assert_eq!(health["findings"], json!([]));
    assert_eq!(health["deployments"], PROJECTS);
}

fn wait_for_all_objects(scene: &Scene) {
    let start = Instant::now();
    while (0..PROJECTS).any(|number| scene.output_lines(number) < KILLS * growth(number)) {
        assert!(start.elapsed() < PATIENCE, "the last plane does not work everything off");
        std::thread::sleep(Duration::from_millis(200));
    }
}

impl Scene {
    fn output_lines(&self, number: usize) -> usize {
        fs::read_to_string(self.output_path(number)).map_or(0, |text| text.lines().count())
    }

    fn output_path(&self, number: usize) -> PathBuf {
        self.path("data").join(format!("files/dev/out-{number}"))
    }
}

/// Until the last three due minutes are those of the pause: a minute is a second here, so a long run skips three of them, which
/// doctor names as it should.
fn wait_for_paused_ticks(plane: &Plane, project: &str) {
    let start = Instant::now();
    while plane.items(&["ticks", project, "--limit", "3"]).iter().any(|tick| tick["reason"] != "paused") {
        assert!(start.elapsed() < PATIENCE, "the ticks of {project} are not paused");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn wait_for_rest(plane: &Plane) {
    let start = Instant::now();
    loop {
        let open = ["queued", "running"].map(|state| plane.items(&["runs", "--state", state, "--limit", "1"]).len());
        if open == [0, 0] {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "runs are still open");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Every second from the first tick to the last has one outcome, and the ticks that ran are those that runs name.
fn ledger_is_whole(plane: &Plane, project: &str) {
    let ticks = plane.items(&["ticks", project, "--all"]);
    let at = |tick: &Value| -> i64 {
        let time: jiff::Timestamp = tick["at"].as_str().expect("a tick has its time").parse().expect("it is a time");
        time.as_millisecond()
    };
    let times: Vec<i64> = ticks.iter().map(at).collect();
    assert!(times.len() > KILLS / 2, "{project} ticked while it was killed: {}", times.len());
    assert!(times.windows(2).all(|pair| pair[0] - pair[1] == 1000), "{project}: {times:?}");

    let ran: BTreeSet<String> =
        ticks.iter().filter(|tick| tick["outcome"] == "ran").map(|tick| tick["at"].to_string()).collect();
    let mut runs: BTreeMap<String, usize> = BTreeMap::new();
    for run in plane.items(&["runs", project, "--all"]) {
        assert_eq!(run["state"], "succeeded", "{run}");
        *runs.entry(run["tick"].to_string()).or_default() += 1;
    }
    assert!(runs.values().all(|count| *count == 1), "{project}: a tick has two runs");
    assert_eq!(runs.into_keys().collect::<BTreeSet<_>>(), ran, "{project}");
}
