//! Begins to take a group off.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("group_remove")
}
