//! Says what a rollout would do.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("rollout_preview")
}
