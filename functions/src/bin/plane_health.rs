//! Tells whether the plane answers.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("plane_health")
}
