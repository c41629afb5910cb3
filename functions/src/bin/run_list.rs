//! Lists runs.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("run_list")
}
