//! Forgets a WebSocket of API Gateway that is gone.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("socket_close")
}
