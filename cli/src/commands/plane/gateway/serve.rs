//! The gateway itself, until a signal stops it.

use crate::failure::{Exit, Failure};
use crate::log;
use crate::process::Signals;
use crate::session::Session;
use std::net::SocketAddr;
use std::sync::Arc;
use tidemill_aws::Variable;
use tidemill_local::Door;
use tidemill_local::engine::{Processes, Program};
use tidemill_operations::Plane;

pub async fn serve(session: &Session, listen: SocketAddr, host: Option<String>) -> Result<Exit, Failure> {
    log::start(None)?;
    let mut signals = Signals::new()?;
    // A gateway holds its WebSockets itself, so it needs no URL of API Gateway's.
    let needed = Variable::ALL.into_iter().filter(|variable| *variable != Variable::SocketsUrl);
    let missing: Vec<&str> = needed.map(Variable::name).filter(|name| std::env::var_os(name).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("not set in the environment: {}", missing.join(", "));
        return Err(Failure::new("invalid_argument", message).hint("set them as docs/aws.md shows"));
    }
    let plane = tidemill_aws::plane_of_host().await.map_err(|error| Failure::new("internal", error.message))?;
    let plane = Plane { engine: Arc::new(Processes::start(Program::this())), ..plane };
    let door = Door::open(plane, listen, host).await?;
    session.output.line(format_args!("ready {}", door.url()));
    signals.first().await;
    session.output.report("stopping; Ctrl-C again stops at once");
    tokio::select! {
        () = door.close() => Ok(Exit::Done),
        () = signals.first() => std::process::exit(Exit::Interrupted as i32),
    }
}
