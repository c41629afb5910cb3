//! Gives one run.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("run_get")
}
