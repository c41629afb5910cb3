//! Issues an API key to whoever has AWS credentials for it.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("key_issue")
}
