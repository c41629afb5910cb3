//! Lists a project's versions.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("version_list")
}
