//! Sends an object through a task.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("task_send")
}
