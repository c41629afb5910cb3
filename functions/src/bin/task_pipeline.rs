//! Gives a task's pipeline.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("task_pipeline")
}
