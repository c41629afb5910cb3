//! Runs a deployment now.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("run_start")
}
