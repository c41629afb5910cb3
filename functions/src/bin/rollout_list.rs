//! Lists rollouts.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("rollout_list")
}
