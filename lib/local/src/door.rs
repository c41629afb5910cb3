//! The front door: HTTP and WebSockets on one port, of a plane that may have its table here or anywhere else.
//!
//! `connection` serves one connection, `admission` says how many there may be, and `hosts` which names the plane answers to.

use crate::admission::Admission;
use crate::connection::Connections;
use crate::folder::StartError;
use crate::hosts::Hosts;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use tidemill_operations::Plane;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How long a door that closes waits for answers to be sent, and for objects that are arriving.
const CLOSE_LIMIT: Duration = Duration::from_secs(20);
/// How long no connection is taken after the machine had no room for one.
const ROOM: Duration = Duration::from_millis(250);

/// A front door that is open, before a plane whose timers and queues are elsewhere.
pub struct Door {
    address: SocketAddr,
    plane: Arc<Plane>,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

impl Door {
    /// Opens it and answers once it takes connections. `host` is a name that it answers to beside those of this machine.
    pub async fn open(
        plane: impl Into<Arc<Plane>>,
        address: SocketAddr,
        host: Option<String>,
    ) -> Result<Door, StartError> {
        let plane = plane.into();
        let (listener, address) = listen(address).await?;
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(serve(plane.clone(), listener, Hosts::of(address, host), stopped));
        Ok(Door { address, plane, stop, served })
    }

    /// Where it answers, e.g. `http://127.0.0.1:5565`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes it: what was asked is answered, if that does not take long.
    pub async fn close(self) {
        self.plane.memory.stopping.store(true, Ordering::Relaxed);
        // No receiver is left if it has ended by itself.
        let _ = self.stop.send(true);
        let all = async {
            let _ = self.served.await;
            // Each open WebSocket and each stream holds a receiver.
            self.stop.closed().await;
        };
        if tokio::time::timeout(CLOSE_LIMIT, all).await.is_err() {
            tracing::warn!("some answers were not sent in time");
        }
    }
}

/// Serves connections until it is to stop, and what they have asked until then.
pub(crate) async fn serve(plane: Arc<Plane>, listener: TcpListener, hosts: Hosts, mut stopped: watch::Receiver<bool>) {
    let admission = Arc::new(Admission::for_files(open_files()));
    let connections = Connections::new(plane, hosts, admission.clone(), stopped.clone());
    let mut open = JoinSet::new();
    let accepting = async {
        loop {
            let place = admission.enter().await;
            let (stream, peer) = accepted(|context| listener.poll_accept(context)).await;
            open.spawn(connections.clone().serve(stream, peer, place));
            while open.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop(&mut stopped) => {}
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// Waits until the plane is to stop, or is gone.
pub(crate) async fn stop(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stop| *stop).await);
}

/// Waits for the next connection. That the machine has no room for one passes, and is logged once.
async fn accepted<T>(mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>) -> T {
    let mut is_logged = false;
    loop {
        match poll_fn(&mut accept).await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_caller(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut is_logged, true) {
                    tracing::warn!(%error, "no connection can be taken at the moment; it is tried again");
                }
                tokio::time::sleep(ROOM).await;
            }
        }
    }
}

/// Whether a connection was gone before it was taken.
fn is_of_caller(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Raises how many files may be open as far as the system allows, and gives how many that are.
fn open_files() -> u64 {
    /// What is assumed where the limit cannot be read.
    const USUAL: u64 = 1024;
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => files,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            rlimit::Resource::NOFILE.get_soft().unwrap_or(USUAL)
        }
    }
}

/// Listens on an address; port 0 takes a free one.
pub(crate) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |error: io::Error| {
        StartError::new(
            format!("cannot listen on `{address}`: {error}"),
            "stop what listens there, or give another address with `--listen`; port 0 takes a free one",
        )
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `EMFILE` and `ENFILE` of Linux and macOS.
    const NO_ROOM: [i32; 2] = [24, 23];

    fn aborted() -> io::Error {
        io::ErrorKind::ConnectionAborted.into()
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_without_room_for_a_connection_is_asked_again_after_a_while() {
        let started = tokio::time::Instant::now();
        let mut answers = NO_ROOM.map(io::Error::from_raw_os_error).into_iter().chain([aborted()]);
        let accept = |_: &mut Context<'_>| Poll::Ready(answers.next().map_or(Ok("a caller"), Err));

        assert_eq!(accepted(accept).await, "a caller");
        assert_eq!(started.elapsed(), 2 * ROOM);
    }
}
