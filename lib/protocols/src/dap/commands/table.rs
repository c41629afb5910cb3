//! Every command, once.

use super::{Action, Command, Handler, Needs};
use super::{
    connection, dashboard, deployment, environment, history, monitor, object, pipeline, plane, provider, schedule,
    task, version,
};
use tidemill_model::key::Scope;
use tidemill_operations::environment as operation;

const CONTROL: Needs = Needs::Scope(Scope::Control);
const MONITOR: Needs = Needs::Scope(Scope::Monitor);

/// A command that concerns the connection alone.
const fn of_connection(name: &'static str, action: Action) -> Command {
    Command { name, subcommand: None, function: None, action }
}

/// A command that does what a function does for other protocols.
const fn command(function: &'static str, name: &'static str, needs: Needs, handle: Handler) -> Command {
    Command { name, subcommand: None, function: Some(function), action: Action::Private(needs, handle) }
}

/// A version's.
const fn artifact(function: &'static str, subcommand: &'static str, needs: Needs, handle: Handler) -> Command {
    Command { subcommand: Some(subcommand), ..command(function, "rrext_deploy", needs, handle) }
}

/// An environment's.
const fn team(function: &'static str, subcommand: &'static str, needs: Needs, handle: Handler) -> Command {
    Command { subcommand: Some(subcommand), ..command(function, "rrext_deploy_pipe", needs, handle) }
}

/// A handler as a plain function pointer.
macro_rules! handler {
    ($($handle:tt)+) => {
        |request| Box::pin($($handle)+(request))
    };
}

/// Every command of RocketRide's clients.
pub static COMMANDS: &[Command] = &[
    of_connection("auth", Action::LogIn),
    of_connection("deauth", Action::LogOut),
    of_connection("rrext_public_probe", Action::Public(plane::probe)),
    of_connection("rrext_ping", Action::Private(Needs::Login, handler!(connection::ping))),
    of_connection("rrext_identify", Action::Private(Needs::Login, handler!(connection::identify))),
    of_connection("rrext_dashboard", Action::Private(MONITOR, handler!(dashboard::dashboard))),
    of_connection("rrext_list_tasks", Action::Private(MONITOR, handler!(dashboard::list_tasks))),
    of_connection("rrext_list_connections", Action::Private(MONITOR, handler!(dashboard::list_connections))),
    of_connection("rrext_monitor", Action::Private(Needs::Watch, handler!(monitor::monitor))),
    command("deployment_add", "rrext_deploy_add", CONTROL, handler!(deployment::add)),
    command("deployment_list", "rrext_deploy_list", MONITOR, handler!(deployment::list)),
    command("deployment_get", "rrext_deploy_status", MONITOR, handler!(deployment::status)),
    command("deployment_update", "rrext_deploy_update", CONTROL, handler!(deployment::update)),
    command("deployment_remove", "rrext_deploy_remove", CONTROL, handler!(deployment::remove)),
    artifact("version_add", "add", CONTROL, handler!(version::add)),
    artifact("version_list", "versions", MONITOR, handler!(version::list)),
    artifact("version_get", "artifact", MONITOR, handler!(version::get)),
    artifact("environment_history", "history", MONITOR, handler!(history::history)),
    team("environment_deploy", "deploy", CONTROL, handler!(environment::deploy)),
    team("environment_list", "list", MONITOR, handler!(environment::list)),
    team("environment_get", "get", MONITOR, handler!(environment::of_team::<operation::Get>)),
    team("environment_enable", "enable", CONTROL, handler!(environment::of_team::<operation::Enable>)),
    team("environment_disable", "disable", CONTROL, handler!(environment::of_team::<operation::Disable>)),
    team("environment_remove", "remove", CONTROL, handler!(environment::of_team::<operation::Remove>)),
    team("environment_source", "schedule_set", CONTROL, handler!(environment::schedule_set)),
    team("environment_source", "schedule_pause", CONTROL, handler!(environment::schedule_pause)),
    team("environment_source", "schedule_resume", CONTROL, handler!(environment::schedule_resume)),
    team("environment_source", "source_config", CONTROL, handler!(environment::source_config)),
    team("environment_run", "run", CONTROL, handler!(environment::run)),
    team("schedule_preview", "preview", MONITOR, handler!(schedule::preview)),
    command("task_open", "execute", CONTROL, handler!(task::execute)),
    command("task_restart", "restart", Needs::Task(Scope::Control), handler!(task::restart)),
    command("task_end", "terminate", Needs::Task(Scope::Control), handler!(task::terminate)),
    command("task_get", "rrext_get_task_status", Needs::Task(Scope::Monitor), handler!(task::status)),
    command("task_get", "rrext_get_token", MONITOR, handler!(task::token_of)),
    command("task_list", "rrext_get_tasks", MONITOR, handler!(task::list)),
    command("task_pipeline", "rrext_get_pipeline", Needs::Task(Scope::Monitor), handler!(task::pipeline)),
    Command {
        name: "rrext_process",
        // Its subcommands are the steps of one pipe.
        subcommand: None,
        function: Some("task_send"),
        action: Action::Stream(Needs::Task(Scope::Data), handler!(object::process)),
    },
    command("pipeline_validate", "rrext_validate", Needs::Login, handler!(pipeline::validate)),
    command("provider_list", "rrext_services", Needs::Login, handler!(provider::services)),
    command("provider_list", "rrext_resolve_config", Needs::Login, handler!(provider::resolve_config)),
];
