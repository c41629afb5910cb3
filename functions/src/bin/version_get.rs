//! Gives one version.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("version_get")
}
