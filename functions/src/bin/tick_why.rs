//! Tells why there was a run at some minute, or none.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("tick_why")
}
