//! Waits for a rollout's end.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("rollout_wait")
}
