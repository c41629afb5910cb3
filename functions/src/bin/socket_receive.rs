//! Answers a frame of a WebSocket of API Gateway.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("socket_receive")
}
