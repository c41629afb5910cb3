//! Revokes a key.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("key_revoke")
}
