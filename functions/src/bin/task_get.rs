//! Tells how a task stands.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("task_get")
}
