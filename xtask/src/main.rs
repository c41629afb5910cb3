//! `cargo xtask generate [--check]`.

#![allow(clippy::print_stdout, reason = "it talks to people who run it")]

use std::process::ExitCode;
use xtask::generate;

const USAGE: &str = "usage: cargo xtask generate [--check]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["generate"] => write(),
        ["generate", "--check"] => check(),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn write() -> ExitCode {
    for file in generate::files().iter().filter(|file| !file.is_current()) {
        if let Err(error) = file.write() {
            eprintln!("{} cannot be written: {error}", file.path);
            return ExitCode::FAILURE;
        }
        println!("wrote {}", file.path);
    }
    ExitCode::SUCCESS
}

fn check() -> ExitCode {
    let differences: Vec<String> = generate::files().iter().filter_map(generate::File::difference).collect();
    if differences.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("{}\nrun `cargo xtask generate` and commit what it writes", differences.join("\n"));
    ExitCode::FAILURE
}
