//! Lists an owner's keys.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("key_list")
}
