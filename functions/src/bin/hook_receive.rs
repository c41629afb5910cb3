//! Takes a webhook.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("hook_receive")
}
