//! How a function starts: with the name of one, or not at all.

use std::process::{Command, Output};
use tidemill_protocols::functions;

/// Starts the binary without the address that Lambda gives out events at.
fn start(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidemill-functions"));
    command.env_clear().envs(variables.iter().copied()).output().expect("the binary starts")
}

#[test]
fn an_unknown_name_ends_the_process_with_the_list_of_names() {
    for handler in ["deployment_move", ""] {
        let ended = start(&[("_HANDLER", handler)]);

        let log = String::from_utf8(ended.stdout).expect("the log is text");
        assert!(!ended.status.success(), "{log}");
        assert!(log.contains(&format!("there is no function `{handler}`")), "{log}");
        for function in functions::all() {
            assert!(log.contains(function.name), "`{}` is not in {log}", function.name);
        }
    }
}

#[test]
fn every_function_is_known_by_its_name() {
    for function in functions::all() {
        // It ends for want of what Lambda gives, and not for want of the function.
        let ended = start(&[("_HANDLER", function.name)]);

        let log = String::from_utf8(ended.stdout).expect("the log is text");
        assert!(!log.contains("there is no function"), "{log}");
    }
}
