//! Checks what must hold.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("plane_doctor")
}
