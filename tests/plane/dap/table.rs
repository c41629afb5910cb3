//! The commands of RocketRide's clients: each is there once, and needs what it should.

use std::collections::{BTreeMap, BTreeSet};
use tidemill_model::key::Scope;
use tidemill_protocols::dap::Needs;
use tidemill_protocols::dap::commands::{OF_CONNECTION, OF_ENVIRONMENTS, named};
use tidemill_protocols::functions::FUNCTIONS;

/// Command, the function that does it, and what the caller needs. `-` is the connection's own.
const COMMANDS: [(&str, &str, Needs); 24] = [
    ("rrext_deploy_add", "deployment_add", Needs::Scope(Scope::Control)),
    ("rrext_deploy_list", "deployment_list", Needs::Scope(Scope::Monitor)),
    ("rrext_deploy_remove", "deployment_remove", Needs::Scope(Scope::Control)),
    ("rrext_deploy_status", "deployment_get", Needs::Scope(Scope::Monitor)),
    ("rrext_deploy_update", "deployment_update", Needs::Scope(Scope::Control)),
    // Each subcommand needs a scope of its own.
    ("rrext_deploy", "-", Needs::Login),
    ("rrext_deploy_pipe", "-", Needs::Login),
    ("rrext_dashboard", "-", Needs::Scope(Scope::Monitor)),
    ("rrext_list_connections", "-", Needs::Scope(Scope::Monitor)),
    ("rrext_list_tasks", "-", Needs::Scope(Scope::Monitor)),
    ("rrext_identify", "-", Needs::Login),
    ("rrext_ping", "-", Needs::Login),
    ("rrext_resolve_config", "provider_list", Needs::Login),
    ("rrext_services", "provider_list", Needs::Login),
    ("rrext_validate", "pipeline_validate", Needs::Login),
    ("rrext_monitor", "-", Needs::Watch),
    ("rrext_process", "task_send", Needs::Task(Scope::Data)),
    ("execute", "task_open", Needs::Scope(Scope::Control)),
    ("restart", "task_restart", Needs::Task(Scope::Control)),
    ("terminate", "task_end", Needs::Task(Scope::Control)),
    ("rrext_get_task_status", "task_get", Needs::Task(Scope::Monitor)),
    ("rrext_get_pipeline", "task_pipeline", Needs::Task(Scope::Monitor)),
    ("rrext_get_token", "task_get", Needs::Scope(Scope::Monitor)),
    ("rrext_get_tasks", "task_list", Needs::Scope(Scope::Monitor)),
];

#[test]
fn the_commands_stand_where_they_should_and_need_what_they_should() {
    let of_functions =
        FUNCTIONS.iter().flat_map(|function| function.dap.iter().map(|command| (function.name, command)));
    let of_connection = OF_CONNECTION.iter().chain(OF_ENVIRONMENTS).map(|command| ("-", command));
    let found: BTreeMap<_, _> = of_functions
        .chain(of_connection)
        .map(|(function, command)| (command.name, (function, command.needs)))
        .collect();

    for (name, function, needs) in COMMANDS {
        assert_eq!(found.get(name), Some(&(function, needs)), "{name}");
    }
}

#[test]
fn a_command_stands_once_and_is_found_by_its_name() {
    let of_functions = FUNCTIONS.iter().flat_map(|function| function.dap);
    let names: Vec<_> =
        OF_CONNECTION.iter().chain(OF_ENVIRONMENTS).chain(of_functions).map(|command| command.name).collect();

    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for name in names {
        assert_eq!(named(name).map(|command| command.name), Some(name));
    }
}

#[test]
fn no_command_that_needs_a_login_has_a_public_name() {
    let of_functions = FUNCTIONS.iter().flat_map(|function| function.dap);
    for command in OF_CONNECTION.iter().chain(OF_ENVIRONMENTS).chain(of_functions) {
        assert!(!command.name.starts_with("rrext_public_"), "{}", command.name);
        assert!(!["auth", "deauth"].contains(&command.name), "the session's own");
    }
}
