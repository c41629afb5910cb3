//! Lists an owner's deployments.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("deployment_list")
}
