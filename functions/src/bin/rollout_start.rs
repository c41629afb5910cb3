//! Begins a rollout.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("rollout_start")
}
