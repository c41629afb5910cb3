//! Rings again for what nobody works on, every minute.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("plane_sweep")
}
