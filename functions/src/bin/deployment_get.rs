//! Gives one deployment.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("deployment_get")
}
