//! Ends a task.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("task_end")
}
