//! `socket_receive`: answers one frame.

use super::forget::forget;
use super::kept::Kept;
use super::{Event, Outcome};
use crate::dap::frame::{self, Frame, Received};
use crate::dap::{Close, Connections, LOGIN_TIME, Memory, Outgoing, Session, Transport};
use futures::channel::mpsc::unbounded;
use futures::future::BoxFuture;
use std::sync::Arc;
use tidemill_model::ids::ConnectionId;
use tidemill_operations::{Code, Error, Plane, Reached, Sockets};
use tokio::time::timeout;

/// How often a frame is answered anew because another one changed what both build on.
const TRIES: usize = 8;

/// Answers a frame. Whatever happens, the client is answered or its connection is closed: it waits without a limit.
pub fn receive(plane: &Arc<Plane>, event: Event) -> BoxFuture<'_, Result<Outcome, Error>> {
    Box::pin(async move {
        let sockets =
            plane.sockets.as_deref().ok_or_else(|| Error::internal("this plane has no sockets of its own"))?;
        let outgoing = match timeout(event.time, answered(plane, &event)).await {
            Ok(Ok(outgoing)) => outgoing,
            Ok(Err(error)) => told(plane, &event, error),
            Err(_) => told(plane, &event, late()),
        };
        send(plane, sockets, &event.connection, outgoing).await?;
        Ok(Outcome::Taken)
    })
}

async fn answered(plane: &Arc<Plane>, event: &Event) -> Result<Vec<Outgoing>, Error> {
    for _ in 0..TRIES {
        let kept = Kept::read(plane, event).await?;
        if kept.is_stranger() && event.at.duration_since(event.opened_at) >= LOGIN_TIME {
            return Ok(vec![Outgoing::Close(Close::LATE)]);
        }
        let (memory, outgoing) = answer(plane, event, kept.memory()).await;
        match kept.write(plane, event, &memory).await {
            Ok(()) => return Ok(outgoing),
            // What changes the memory can be asked again: who is there, and what it is told.
            Err(tidemill_store::Error::Rejected(_)) => continue,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::new(Code::Unavailable, "the connection kept changing while this was answered")
        .hint("send one request after the other"))
}

/// What one frame comes to: what to remember, and what to send.
async fn answer(plane: &Arc<Plane>, event: &Event, memory: Memory) -> (Memory, Vec<Outgoing>) {
    let (outbox, mut outgoing) = unbounded();
    let connections = Arc::new(Connections::new(plane));
    let seat = connections.visit(event.peer, event.opened_at, plane.now(), memory.client.clone());
    let mut session = Session::resume(plane.clone(), Transport::API_GATEWAY, seat, memory, outbox);
    session.receive(Frame::Text(event.text.clone().unwrap_or_default().into())).await;
    let memory = session.memory().await;
    let sent = std::iter::from_fn(|| outgoing.try_recv().ok()).collect();
    (memory, sent)
}

fn late() -> Error {
    Error::new(Code::Unavailable, "this was not answered in time")
        .hint("look whether it was done, and ask again if not")
}

/// What a client is told whose frame could not be answered.
fn told(plane: &Plane, event: &Event, error: Error) -> Vec<Outgoing> {
    match frame::read(Frame::Text(event.text.clone().unwrap_or_default().into())) {
        // Clients give up for good when a login is answered with a failure, and come again when it is not.
        Received::Request(request) if request.head.command != "auth" => {
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
                    tracing::warn!(
                        error = error.with_causes(),
                        "an answer could not be sent, and its connection is closed"
                    );
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
            return forget(plane, connection).await;
        }
    }
    Ok(())
}
