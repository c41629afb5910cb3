//! Puts a project live.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("deployment_add")
}
