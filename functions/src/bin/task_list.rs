//! Lists an owner's tasks.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("task_list")
}
