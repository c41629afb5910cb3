//! The arrows between the crates: who may know whom, and what.

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};

/// What each crate may depend on, of ours.
const ARROWS: [(&str, &[&str]); 11] = [
    ("tidemill-model", &[]),
    ("tidemill-plan", &["model"]),
    ("tidemill-engine", &["model", "plan"]),
    ("tidemill-store", &["model"]),
    ("tidemill-operations", &["model", "plan", "engine", "store"]),
    ("tidemill-protocols", &["model", "plan", "engine", "store", "operations"]),
    ("tidemill-aws", &["model", "plan", "engine", "store", "operations", "protocols"]),
    ("tidemill-functions", &["aws"]),
    ("tidemill-local", &["model", "plan", "engine", "store", "operations", "protocols"]),
    ("tidemill", &["model", "plan", "engine", "store", "operations", "protocols", "local", "aws"]),
    ("tidemill-testing", &["model", "plan", "engine", "store", "operations", "protocols", "local"]),
];

/// What only these crates may depend on. The transports of the local plane and of tests stand below the SDK's client.
const KEPT: [(&str, &[&str]); 8] = [
    ("aws-sdk-dynamodb", &["tidemill-store", "tidemill-local", "tidemill-testing", "tidemill-aws"]),
    ("aws-sdk-scheduler", &["tidemill-aws"]),
    ("aws-sdk-sqs", &["tidemill-aws"]),
    ("aws-sdk-kms", &["tidemill-aws"]),
    ("lambda_runtime", &["tidemill-aws"]),
    ("dynoxide-rs", &["tidemill-local", "tidemill-testing"]),
    ("axum", &["tidemill-local", "tidemill-testing"]),
    ("http", &["tidemill-protocols", "tidemill-local", "tidemill-aws", "tidemill-testing", "tidemill-tests"]),
];

/// Crates that bring I/O, a clock or async to where there must be none.
const NOT_IN_PURE: [&str; 6] = ["tokio", "futures", "reqwest", "aws-sdk-dynamodb", "axum", "hyper"];

fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo describes the workspace");
    metadata.packages
}

fn needs(package: &Package) -> BTreeSet<String> {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.clone()).collect()
}

#[test]
fn arrows_between_crates_go_one_way() {
    let allowed: BTreeMap<_, _> = ARROWS.into_iter().collect();
    for package in packages() {
        let Some(allowed) = allowed.get(package.name.as_str()) else {
            assert_eq!(package.name.as_str(), "tidemill-tests", "a new crate must be entered here");
            continue;
        };
        for dependency in needs(&package).iter().filter_map(|name| name.strip_prefix("tidemill-")) {
            assert!(allowed.contains(&dependency), "`{}` must not know `tidemill-{dependency}`", package.name);
        }
    }
}

#[test]
fn services_are_known_only_where_they_belong() {
    for package in packages() {
        let needs = needs(&package);
        for (dependency, allowed) in KEPT {
            let is_allowed = allowed.contains(&package.name.as_str()) || !needs.contains(dependency);
            assert!(is_allowed, "`{}` must not depend on `{dependency}`", package.name);
        }
    }
}

#[test]
fn model_and_plan_are_pure() {
    for package in
        packages().iter().filter(|package| ["tidemill-model", "tidemill-plan"].contains(&package.name.as_str()))
    {
        let needs = needs(package);
        for dependency in NOT_IN_PURE {
            assert!(!needs.contains(dependency), "`{}` must not depend on `{dependency}`", package.name);
        }
    }
}
