//! `tidemill gateway`: the front door of a plane in AWS, with the whole of RocketRide's protocol. Only a build with the
//! feature `gateway` serves it.

#[cfg(feature = "gateway")]
mod serve;

use crate::failure::{Exit, Failure};
use crate::process::address;
use crate::session::Session;
#[cfg(feature = "gateway")]
use serve::serve;
use std::net::SocketAddr;

/// Serve a plane in AWS from this process: HTTP, and WebSockets without API Gateway's limits
///
/// The gateway keeps no state: table, queues and schedules are those of the deployed stack, so any number of gateways
/// may run side by side and stop at any time. Environment variables name the stack's resources, as for its functions:
/// TIDEMILL_TABLE and the others (docs/aws.md lists them). AWS credentials and region come from wherever AWS's tools
/// find them. Once it answers, it prints `ready http://…` on standard output.
///
/// It is in builds with the feature `gateway`: `cargo install --path cli --features gateway`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  TIDEMILL_TABLE=tidemill-Table-1A2B3C tidemill gateway --listen 0.0.0.0:5565")]
pub struct Args {
    /// Where the gateway answers: an address, or a port of this machine; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5565", value_parser = address)]
    listen: SocketAddr,
    /// Answer to this name, too, where the gateway listens on this machine alone [default: localhost and its addresses]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    serve(session, args.listen, args.host).await
}

#[cfg(not(feature = "gateway"))]
async fn serve(_session: &Session, _listen: SocketAddr, _host: Option<String>) -> Result<Exit, Failure> {
    Err(Failure::new("not_built", "this `tidemill` was built without the gateway")
        .hint("build it with `cargo install --path cli --features gateway`, or run the image of infra/gateway"))
}
