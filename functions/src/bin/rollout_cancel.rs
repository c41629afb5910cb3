//! Asks a rollout to end.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("rollout_cancel")
}
