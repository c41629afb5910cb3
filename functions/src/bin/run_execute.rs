//! Executes a run, at a bell.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("run_execute")
}
