//! Tells those who watch on WebSockets of API Gateway.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("socket_tell")
}
