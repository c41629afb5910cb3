//! Tells a rollout while it goes on.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("rollout_follow")
}
