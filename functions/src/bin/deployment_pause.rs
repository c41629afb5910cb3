//! Pauses a deployment.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("deployment_pause")
}
