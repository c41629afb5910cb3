//! Makes a deployment active again.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("deployment_resume")
}
