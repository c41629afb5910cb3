//! Reads a run's log.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("run_logs")
}
