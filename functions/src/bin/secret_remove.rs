//! Deletes a secret.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("secret_remove")
}
