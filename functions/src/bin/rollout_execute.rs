//! Carries a rollout out, at a bell.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("rollout_execute")
}
