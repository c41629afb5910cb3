//! Takes a project off.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("deployment_remove")
}
