//! `tidemill gateway`: the front door of a plane in AWS, with the whole of RocketRide's protocol.

use crate::failure::{Exit, Failure};
use crate::process::{Signals, log_to_stderr};
use crate::session::Session;
use std::net::SocketAddr;
use tidemill_aws::Variable;
use tidemill_local::Door;

/// Serve a plane in AWS from this process: HTTP, and WebSockets without API Gateway's limits
///
/// It holds nothing: table, queues and schedules are those of the deployed stack, so any number of gateways may run side
/// by side and be stopped at any time. What they are called is in the environment, as for the functions of the stack:
/// TIDEMILL_TABLE and the others (docs/aws.md lists them); AWS credentials and region come from wherever AWS's tools
/// find them. When it answers, it prints `ready http://…` on standard output.
#[derive(clap::Args)]
#[command(after_help = "Example:
  TIDEMILL_TABLE=tidemill-Table-1A2B3C tidemill gateway --listen 0.0.0.0:5565")]
pub struct Args {
    /// Where the gateway answers; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5565")]
    listen: SocketAddr,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    log_to_stderr();
    let mut signals = Signals::new()?;
    // It holds its WebSockets itself, and sends nothing on those of API Gateway.
    let needed = Variable::ALL.into_iter().filter(|variable| *variable != Variable::SocketsUrl);
    let missing: Vec<&str> = needed.map(Variable::name).filter(|name| std::env::var_os(name).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("not set in the environment: {}", missing.join(", "));
        return Err(Failure::new("invalid_argument", message).hint("set them as docs/aws.md shows"));
    }
    let plane = tidemill_aws::plane_of_host().await.map_err(|error| Failure::new("internal", error.message))?;
    let door = Door::open(plane, args.listen).await?;
    session.output.line(format_args!("ready {}", door.url()));
    signals.first().await;
    session.output.tell("stopping; Ctrl-C again stops at once");
    tokio::select! {
        () = door.close() => Ok(Exit::Done),
        () = signals.first() => std::process::exit(Exit::Interrupted as i32),
    }
}
