//! Tells what answers, and since when.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("plane_status")
}
