//! Asks a run to end.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("run_cancel")
}
