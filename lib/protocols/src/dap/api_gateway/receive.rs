//! Answers one frame.

use super::{SocketEvent, SocketOutcome};
use crate::dap::commands;
use crate::dap::connections::{Client, Connections};
use crate::dap::frame::{self, Frame, FrameContent};
use crate::dap::{Close, Memory, Outgoing, Session, Transport, outbox};
use futures::future::BoxFuture;
use std::sync::Arc;
use tidemill_model::ids::ConnectionId;
use tidemill_operations::socket::{
    self, SessionState,
    receive::{Arrival, Reception},
};
use tidemill_operations::{Code, Error, Plane, Reached, Sockets};
use tokio::time::timeout;

/// Answers a frame. In every case the client gets an answer or its connection closes: it waits without a limit.
pub fn receive(plane: &Arc<Plane>, event: SocketEvent) -> BoxFuture<'_, Result<SocketOutcome, Error>> {
    Box::pin(async move {
        let sockets =
            plane.sockets.as_deref().ok_or_else(|| Error::internal("this plane has no sockets of its own"))?;
        let outgoing = match timeout(event.time, answer(plane, &event)).await {
            Ok(Ok(outgoing)) => outgoing,
            Ok(Err(error)) => failed(plane, &event, error),
            Err(_) => failed(plane, &event, late()),
        };
        send(plane, sockets, &event.connection.id, outgoing).await?;
        Ok(SocketOutcome::Taken)
    })
}

async fn answer(plane: &Arc<Plane>, event: &SocketEvent) -> Result<Vec<Outgoing>, Error> {
    let arrival = Arrival { at: event.at, is_login: is_login(event) };
    let received =
        socket::receive::run(plane, &event.connection, arrival, |state| resumed(plane, event, state)).await?;
    Ok(match received {
        Reception::Answer(outgoing) => outgoing,
        Reception::LoginOverdue => vec![Outgoing::Close(Close::LATE)],
        Reception::TooManyStrangers => vec![Outgoing::Close(Close::TOO_MANY)],
    })
}

fn is_login(event: &SocketEvent) -> bool {
    match frame::read(frame_of(event)) {
        FrameContent::Request(request) => commands::is_login(&request.head.command),
        _ => false,
    }
}

/// Hands the frame to the session that goes on from `state`; gives what to keep of it, and what to send.
async fn resumed(plane: &Arc<Plane>, event: &SocketEvent, state: SessionState) -> (SessionState, Vec<Outgoing>) {
    let (outbox, mut outgoing) = outbox();
    let memory = memory(state);
    let connections = Arc::new(Connections::new(plane));
    let socket::Connection { peer, opened_at, .. } = event.connection;
    let seat = connections.visit(peer, opened_at, plane.now(), memory.client.clone());
    let mut session = Session::resume(plane.clone(), Transport::API_GATEWAY, seat, memory, outbox);
    session.receive(frame_of(event)).await;
    let state = state_of(session.memory().await);
    (state, std::iter::from_fn(|| outgoing.pop()).collect())
}

fn frame_of(event: &SocketEvent) -> Frame {
    Frame::Text(event.text.clone().unwrap_or_default().into())
}

fn memory(state: SessionState) -> Memory {
    Memory {
        login: state.login,
        logins: state.logins,
        client: Client { name: state.client_name, version: state.client_version },
        // Watches that cannot be read are an older plane's; the client subscribes again when it comes back.
        monitors: serde_json::from_str(&state.watches).unwrap_or_default(),
    }
}

fn state_of(memory: Memory) -> SessionState {
    SessionState {
        login: memory.login,
        logins: memory.logins,
        client_name: memory.client.name,
        client_version: memory.client.version,
        watches: memory.monitors.text(),
    }
}

fn late() -> Error {
    Error::new(Code::Unavailable, "this was not answered in time")
        .hint("look whether it was done, and ask again if not")
}

/// What goes to a client whose frame could not be answered.
fn failed(plane: &Plane, event: &SocketEvent, error: Error) -> Vec<Outgoing> {
    match frame::read(frame_of(event)) {
        // Clients give up for good when a login is answered with a failure, and come again when it is not.
        FrameContent::Request(request) if !is_login(event) => {
            let seq = plane.now().as_millisecond().max(0) as u64;
            vec![Outgoing::Text(frame::answer(seq, &request.head, &Err(error.into()), &Transport::API_GATEWAY))]
        }
        _ => vec![Outgoing::Close(Close::TROUBLE)],
    }
}

async fn send(
    plane: &Plane,
    sockets: &dyn Sockets,
    connection: &ConnectionId,
    outgoing: Vec<Outgoing>,
) -> Result<(), Error> {
    for one in outgoing {
        let is_over = match one {
            Outgoing::Text(text) => match sockets.send(connection, &text).await {
                Ok(Reached::Yes) => false,
                Ok(Reached::Gone) => true,
                Err(error) => {
                    tracing::warn!(error = error.with_causes(), "could not send an answer; its connection is closed");
                    sockets.close(connection).await?;
                    true
                }
            },
            Outgoing::Close(_) => {
                sockets.close(connection).await?;
                true
            }
        };
        if is_over {
            return socket::close::forget(plane, connection).await;
        }
    }
    Ok(())
}
