//! Every test that docs/security.md names is there.

use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_page_about_security_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.ends_with("` |"));
    let name = Regex::new("`([a-z0-9_]{12,})`").unwrap();
    let last = |row: &str| row.trim_end_matches(" |").rsplit(" | ").next().unwrap().to_owned();
    let named: BTreeSet<String> = rows
        .map(last)
        .flat_map(|cell| name.captures_iter(&cell).map(|found| found[1].to_owned()).collect::<Vec<_>>())
        .collect();

    let there = tests(root);
    let missing: Vec<_> = named.difference(&there).collect();

    assert!(named.len() > 20, "the page has a table of tests: {named:?}");
    assert!(missing.is_empty(), "{missing:?}");
}

fn tests(root: &Path) -> BTreeSet<String> {
    let function = Regex::new(r"(?:fn|def) ([a-z0-9_]+)\(").unwrap();
    let mut folders: Vec<PathBuf> = ["lib", "cli", "tests"].iter().map(|name| root.join(name)).collect();
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_ours = !path.ends_with("target") && !path.ends_with("node_modules");
            if path.is_dir() && is_ours {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "py") {
                let text = fs::read_to_string(&path).unwrap();
                found.extend(function.captures_iter(&text).map(|found| found[1].to_owned()));
            }
        }
    }
    found
}
