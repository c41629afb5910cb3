//! Checks a pipeline.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("pipeline_validate")
}
