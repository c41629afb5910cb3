//! The table of functions agrees with the operations, the API's description and the tests.

use serde_yaml_ng::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tidemill_operations::QueueKind;
use tidemill_protocols::functions::{self, Function, On};
use tidemill_protocols::route::Route;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace").to_owned()
}

fn names() -> BTreeSet<String> {
    functions::all().map(|function| function.name.to_owned()).collect()
}

/// Where what has the name of a function stands: `a/b.rs`, `a/b/mod.rs` or, if it is the only one of its noun, `a_b.rs`.
fn place(folder: &str, name: &str) -> Option<String> {
    let nested = name.replacen('_', "/", 1);
    let places = [format!("{folder}/{nested}.rs"), format!("{folder}/{nested}/mod.rs"), format!("{folder}/{name}.rs")];
    places.into_iter().find(|place| root().join(place).is_file())
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).expect("the file is there")
}

#[test]
fn names_are_given_once() {
    assert_eq!(names().len(), functions::all().count());
}

#[test]
fn every_queue_has_one_function() {
    for queue in [QueueKind::Ticks, QueueKind::Runs, QueueKind::Rollouts, QueueKind::Sockets] {
        let count =
            functions::all().filter(|function| matches!(function.on, On::Bell(kind, _) if kind == queue)).count();
        assert_eq!(count, 1, "{queue:?}");
    }
}

#[test]
fn every_function_has_its_operation() {
    for name in names().iter().filter(|name| *name != "plane_health") {
        assert!(place("lib/operations/src", name).is_some(), "no file of `{name}` in lib/operations/src");
    }
}

#[test]
fn every_function_has_its_tests() {
    for name in names() {
        let place = place("tests/plane", &name).unwrap_or_else(|| panic!("no file of `{name}` in tests/plane"));
        let text = read(&place);
        assert!(text.contains("::test]") || text.contains("#[test]"), "{place} tests nothing");
    }
}

/// What the description says of a method of a path.
struct Described {
    method: String,
    path: String,
    operation: Value,
}

fn described() -> Vec<Described> {
    let description: Value = serde_yaml_ng::from_str(&read("infra/openapi.yaml")).expect("the description is YAML");
    let mut described = Vec::new();
    for (path, item) in description["paths"].as_mapping().expect("it has paths") {
        for (method, operation) in item.as_mapping().expect("a path has methods") {
            described.push(Described {
                method: method.as_str().expect("a method is text").to_uppercase(),
                path: path.as_str().expect("a path is text").to_owned(),
                operation: operation.clone(),
            });
        }
    }
    described
}

/// Every route with its function.
fn routes() -> impl Iterator<Item = (&'static Function, &'static Route)> {
    functions::all().flat_map(|function| function.endpoints().map(move |(route, _)| (function, route)))
}

#[test]
fn the_description_has_every_route_and_no_other() {
    let described = described().into_iter().map(|one| (one.method, one.path));
    let routes = routes().map(|(_, route)| (route.method.to_string(), route.path.to_owned()));
    assert_eq!(described.collect::<BTreeSet<_>>(), routes.collect());
}

#[test]
fn an_operation_has_the_name_of_its_function_and_at_other_routes_one_that_begins_with_it() {
    let mut ids = BTreeSet::new();
    for Described { method, path, operation } in described() {
        let id = operation["operationId"].as_str().expect("an operation has an id").to_owned();
        let called = routes().find(|(_, route)| route.path == path && route.method == method.as_str());
        let function = called.unwrap_or_else(|| panic!("no function is at {method} {path}")).0;
        let On::Http { route, .. } = &function.on else { panic!("{}", function.name) };
        match route.path == path && route.method == method.as_str() {
            true => assert_eq!(id, function.name),
            false => assert!(id.starts_with(&format!("{}_", function.name)), "{method} {path} is `{id}`"),
        }
        assert!(ids.insert(id), "{method} {path} has the id of another");
    }
}

#[test]
fn the_description_has_every_query_parameter_and_success() {
    let description: Value = serde_yaml_ng::from_str(&read("infra/openapi.yaml")).expect("the description is YAML");
    for (function, route) in routes() {
        let name = format!("{} at {}", function.name, route.path);
        let operation = &description["paths"][route.path][route.method.as_str().to_lowercase().as_str()];
        let parameters = operation["parameters"].as_sequence().cloned().unwrap_or_default();
        let resolved = parameters.iter().map(|parameter| match parameter["$ref"].as_str() {
            Some(reference) => &description["components"]["parameters"][reference.rsplit('/').next().unwrap_or("")],
            None => parameter,
        });
        let described: BTreeSet<_> = resolved
            .filter(|parameter| parameter["in"].as_str() == Some("query"))
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let taken: BTreeSet<_> = route.query.iter().map(|parameter| parameter.name).collect();
        assert_eq!(described, taken, "{name}");
        let success = route.success.to_string();
        assert!(operation["responses"].get(success.as_str()).is_some(), "{name} answers {success}");
    }
}

#[test]
fn a_function_streams_at_all_of_its_routes_or_at_none() {
    for function in functions::all() {
        let mut endpoints = function.endpoints();
        assert!(endpoints.all(|(_, handle)| handle.streams() == function.streams()), "{}", function.name);
    }
}
