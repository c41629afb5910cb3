//! Gives a task another pipeline.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("task_restart")
}
