//! Gets a group.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("group_get")
}
