//! Lists the names of an owner's secrets.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("secret_list")
}
