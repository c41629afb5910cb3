//! The arrows between the crates: who may know whom, and what.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate may depend on, of ours.
const ARROWS: [(&str, &[&str]); 12] = [
    ("tidemill-model", &[]),
    ("tidemill-plan", &["model"]),
    ("tidemill-engine", &["model", "plan"]),
    ("tidemill-store", &["model"]),
    ("tidemill-operations", &["model", "plan", "engine", "store"]),
    ("tidemill-protocols", &["model", "plan", "operations"]),
    ("tidemill-aws", &["model", "plan", "engine", "store", "operations", "protocols"]),
    ("tidemill-functions", &["aws"]),
    ("tidemill-local", &["model", "plan", "engine", "store", "operations", "protocols"]),
    ("tidemill", &["model", "plan", "engine", "store", "operations", "protocols", "local", "aws"]),
    ("tidemill-testing", &["model", "plan", "engine", "store", "operations", "protocols", "local"]),
    ("xtask", &["plan", "engine", "operations", "protocols"]),
];

/// Tests and benches may use everything.
const UNBOUND: [&str; 2] = ["tidemill-tests", "tidemill-benches"];

/// What only these crates may depend on. The transports of the local plane and of tests stand below the SDK's client.
const KEPT: [(&str, &[&str]); 8] = [
    ("aws-sdk-dynamodb", &["tidemill-store", "tidemill-local", "tidemill-testing", "tidemill-aws"]),
    ("aws-sdk-scheduler", &["tidemill-aws"]),
    ("aws-sdk-sqs", &["tidemill-aws"]),
    ("aws-sdk-kms", &["tidemill-aws"]),
    ("lambda_runtime", &["tidemill-aws"]),
    ("dynoxide-rs", &["tidemill-local", "tidemill-testing"]),
    ("axum", &["tidemill-local", "tidemill-testing"]),
    ("http", &["tidemill-protocols", "tidemill-local", "tidemill-aws", "tidemill-testing", "xtask"]),
];

/// Crates that bring I/O, a clock or async to where there must be none.
const NOT_IN_PURE: [&str; 6] = ["tokio", "futures", "reqwest", "aws-sdk-dynamodb", "axum", "hyper"];

/// A package of the workspace, and what it depends on outside its tests.
struct Package {
    name: String,
    needs: BTreeSet<String>,
}

/// What cargo says about the workspace.
fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    let described = cargo.args(["metadata", "--no-deps", "--format-version", "1"]).output().expect("cargo runs");
    serde_json::from_slice(&described.stdout).expect("cargo describes the workspace")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("cargo lists it").iter()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a name is text").to_owned()
}

fn packages() -> Vec<Package> {
    list(&metadata()["packages"]).map(package).collect()
}

fn package(described: &Value) -> Package {
    // Those of tests have the kind `dev`, those of build scripts `build`.
    let normal = list(&described["dependencies"]).filter(|dependency| dependency["kind"].is_null());
    Package { name: text(&described["name"]), needs: normal.map(|dependency| text(&dependency["name"])).collect() }
}

#[test]
fn arrows_between_crates_go_one_way() {
    let allowed: BTreeMap<_, _> = ARROWS.into_iter().collect();
    for package in packages() {
        let Some(allowed) = allowed.get(package.name.as_str()) else {
            assert!(UNBOUND.contains(&package.name.as_str()), "enter the new crate `{}` here", package.name);
            continue;
        };
        for dependency in package.needs.iter().filter_map(|name| name.strip_prefix("tidemill-")) {
            assert!(allowed.contains(&dependency), "`{}` must not know `tidemill-{dependency}`", package.name);
        }
    }
}

#[test]
fn services_are_known_only_where_they_belong() {
    for package in packages().into_iter().filter(|package| !UNBOUND.contains(&package.name.as_str())) {
        for (dependency, allowed) in KEPT {
            let is_allowed = allowed.contains(&package.name.as_str()) || !package.needs.contains(dependency);
            assert!(is_allowed, "`{}` must not depend on `{dependency}`", package.name);
        }
    }
}

#[test]
fn model_and_plan_are_pure() {
    for package in
        packages().iter().filter(|package| ["tidemill-model", "tidemill-plan"].contains(&package.name.as_str()))
    {
        for dependency in NOT_IN_PURE {
            assert!(!package.needs.contains(dependency), "`{}` must not depend on `{dependency}`", package.name);
        }
    }
}

#[test]
fn the_first_build_on_a_laptop_leaves_out_what_only_the_cloud_needs() {
    let metadata = metadata();
    let of_laptop: BTreeSet<_> = list(&metadata["workspace_default_members"]).map(text).collect();
    for package in list(&metadata["packages"]).filter(|package| of_laptop.contains(&text(&package["id"]))) {
        let name = text(&package["name"]);
        assert!(!["tidemill-aws", "tidemill-functions", "tidemill-benches"].contains(&name.as_str()), "{name}");
        for dependency in list(&package["dependencies"]).filter(|dependency| dependency["optional"] == false) {
            assert_ne!(dependency["name"], "tidemill-aws", "`{name}` must not need it");
        }
        let by_default = package["features"]["default"].to_string();
        assert!(!by_default.contains("gateway") && !by_default.contains("aws-lc"), "`{name}`: {by_default}");
    }
}

/// Crates above the operations, whose rules they carry to a wire, to AWS or to a laptop.
const WITHOUT_RULES: [&str; 3] = ["lib/protocols/src", "lib/aws/src", "lib/local/src"];

/// The files of those crates that name the store, and on how many lines: they put a plane together and make its table.
/// What they read or write beside that is an operation's. The list may only shrink.
const OPENS_THE_STORE: [(&str, usize); 5] = [
    ("lib/aws/src/configuration.rs", 2),
    // What went wrong at the start, in words for the user.
    ("lib/local/src/folder.rs", 2),
    // It also carries a table of an older layout over.
    ("lib/local/src/local.rs", 8),
    // The code by which the store knows a full disk.
    ("lib/local/src/table/mod.rs", 1),
    // A timer is found by the same text that stands for its deployment in keys.
    ("lib/local/src/timers.rs", 1),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("it can be read").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    folders.iter().flat_map(|folder| sources(folder)).chain(files).collect()
}

#[test]
fn only_operations_read_and_write_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace");
    let names_it =
        |line: &&str| ["plane.store", "tidemill_store", "Store::", "&Store"].iter().any(|name| line.contains(name));
    let mut found = BTreeMap::new();
    for file in WITHOUT_RULES.iter().flat_map(|folder| sources(&root.join(folder))) {
        let text = std::fs::read_to_string(&file).expect("a source is text");
        let count = text.lines().filter(names_it).count();
        let name = file.strip_prefix(root).expect("it lies in the workspace").display().to_string();
        if count > 0 {
            found.insert(name, count);
        }
    }

    let allowed: BTreeMap<_, _> = OPENS_THE_STORE.into_iter().map(|(file, count)| (file.to_owned(), count)).collect();
    assert_eq!(found, allowed, "a rule belongs in `operations`; where a line went, take it off the list");
}
