//! Lists groups.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("group_list")
}
