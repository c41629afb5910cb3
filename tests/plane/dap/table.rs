//! The commands of RocketRide's clients: the table has each once, and each needs what it should.

use std::collections::{BTreeMap, BTreeSet};
use tidemill_model::key::Scope;
use tidemill_protocols::dap::commands::{Action, COMMANDS, Command, PUBLIC};
use tidemill_protocols::functions;

/// What a caller needs: `None` without a login.
type Need = Option<tidemill_protocols::dap::Needs>;

const LOGIN: Need = Some(tidemill_protocols::dap::Needs::Login);
const CONTROL: Need = scope(Scope::Control);
const MONITOR: Need = scope(Scope::Monitor);

const fn scope(scope: Scope) -> Need {
    Some(tidemill_protocols::dap::Needs::Scope(scope))
}

const fn task(scope: Scope) -> Need {
    Some(tidemill_protocols::dap::Needs::Task(scope))
}

/// Every command that the clients' documentation has and this plane takes: with its subcommand, the function that does it
/// (`-` is the connection's own), and what the caller needs.
const DOCUMENTED: [(&str, &str, Need); 41] = [
    ("auth", "-", None),
    ("deauth", "-", None),
    ("rrext_public_probe", "-", None),
    ("rrext_deploy_add", "deployment_add", CONTROL),
    ("rrext_deploy_list", "deployment_list", MONITOR),
    ("rrext_deploy_remove", "deployment_remove", CONTROL),
    ("rrext_deploy_status", "deployment_get", MONITOR),
    ("rrext_deploy_update", "deployment_update", CONTROL),
    ("rrext_deploy add", "version_add", CONTROL),
    ("rrext_deploy versions", "version_list", MONITOR),
    ("rrext_deploy artifact", "version_get", MONITOR),
    ("rrext_deploy history", "environment_history", MONITOR),
    ("rrext_deploy_pipe deploy", "environment_deploy", CONTROL),
    ("rrext_deploy_pipe list", "environment_list", MONITOR),
    ("rrext_deploy_pipe get", "environment_get", MONITOR),
    ("rrext_deploy_pipe enable", "environment_enable", CONTROL),
    ("rrext_deploy_pipe disable", "environment_disable", CONTROL),
    ("rrext_deploy_pipe remove", "environment_remove", CONTROL),
    ("rrext_deploy_pipe schedule_set", "environment_source", CONTROL),
    ("rrext_deploy_pipe schedule_pause", "environment_source", CONTROL),
    ("rrext_deploy_pipe schedule_resume", "environment_source", CONTROL),
    ("rrext_deploy_pipe source_config", "environment_source", CONTROL),
    ("rrext_deploy_pipe run", "environment_run", CONTROL),
    ("rrext_deploy_pipe preview", "schedule_preview", MONITOR),
    ("rrext_dashboard", "-", MONITOR),
    ("rrext_list_connections", "-", MONITOR),
    ("rrext_list_tasks", "-", MONITOR),
    ("rrext_identify", "-", LOGIN),
    ("rrext_ping", "-", LOGIN),
    ("rrext_resolve_config", "provider_list", LOGIN),
    ("rrext_services", "provider_list", LOGIN),
    ("rrext_validate", "pipeline_validate", LOGIN),
    ("rrext_monitor", "-", Some(tidemill_protocols::dap::Needs::Watch)),
    ("rrext_process", "task_send", task(Scope::Data)),
    ("execute", "task_open", CONTROL),
    ("restart", "task_restart", task(Scope::Control)),
    ("terminate", "task_end", task(Scope::Control)),
    ("rrext_get_task_status", "task_get", task(Scope::Monitor)),
    ("rrext_get_pipeline", "task_pipeline", task(Scope::Monitor)),
    ("rrext_get_token", "task_get", MONITOR),
    ("rrext_get_tasks", "task_list", MONITOR),
];

fn full_name(command: &Command) -> String {
    match command.subcommand {
        Some(subcommand) => format!("{} {subcommand}", command.name),
        None => command.name.to_owned(),
    }
}

fn needs(command: &Command) -> Need {
    match command.action {
        Action::LogIn | Action::LogOut | Action::Public(_) => None,
        Action::Private(needs, _) | Action::Stream(needs, _) => Some(needs),
    }
}

#[test]
fn the_commands_stand_where_they_should_and_need_what_they_should() {
    let found: BTreeMap<_, _> = COMMANDS
        .iter()
        .map(|command| (full_name(command), (command.function.unwrap_or("-"), needs(command))))
        .collect();

    let documented = DOCUMENTED.iter().map(|(name, function, needs)| ((*name).to_owned(), (*function, *needs)));
    assert_eq!(found, documented.collect());
}

#[test]
fn a_command_stands_once() {
    let names: BTreeSet<_> = COMMANDS.iter().map(full_name).collect();

    assert_eq!(names.len(), COMMANDS.len());
    // A name is one command, or each of its entries has a subcommand.
    let whole = COMMANDS.iter().filter(|command| command.subcommand.is_none());
    for command in whole {
        assert_eq!(COMMANDS.iter().filter(|other| other.name == command.name).count(), 1, "{}", command.name);
    }
}

#[test]
fn a_command_names_a_function() {
    for function in COMMANDS.iter().filter_map(|command| command.function) {
        assert!(functions::named(function).is_some(), "{function}");
    }
}

#[test]
fn no_command_that_needs_a_login_has_a_public_name() {
    for command in COMMANDS {
        assert_eq!(command.name.starts_with(PUBLIC), matches!(command.action, Action::Public(_)), "{}", command.name);
    }
}

#[test]
fn only_what_carries_objects_needs_a_transport_of_its_own() {
    let streams: Vec<_> = COMMANDS.iter().filter(|command| command.carries_objects()).map(full_name).collect();

    assert_eq!(streams, ["rrext_process"]);
}
