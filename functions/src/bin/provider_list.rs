//! Lists the providers.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("provider_list")
}
