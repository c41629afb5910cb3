//! Lets a WebSocket of API Gateway be opened.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("socket_open")
}
