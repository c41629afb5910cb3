//! Takes the due ticks of a deployment, at a bell.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("deployment_tick")
}
