//! The front door: HTTP and WebSockets on one port, of a plane that may have its table here or anywhere else.

use crate::folder::StartError;
use crate::{dap_sockets, front};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tidemill_operations::Plane;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a door that closes waits for answers to be sent, and for objects that are arriving.
const CLOSE_LIMIT: Duration = Duration::from_secs(20);

/// A front door that is open, before a plane whose timers and queues are elsewhere.
pub struct Door {
    address: SocketAddr,
    plane: Arc<Plane>,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

impl Door {
    /// Opens it and answers once it takes connections.
    pub async fn open(plane: Plane, address: SocketAddr) -> Result<Door, StartError> {
        let plane = Arc::new(plane);
        let (listener, address) = listen(address).await?;
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(serve(plane.clone(), listener, stopped));
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

/// Serves connections until it is to stop.
pub(crate) async fn serve(plane: Arc<Plane>, listener: TcpListener, stopped: watch::Receiver<bool>) {
    let service = front::service(plane.clone(), stopped.clone()).merge(dap_sockets::route(plane, stopped.clone()));
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    let mut closing = stopped;
    let closed = async move { drop(closing.wait_for(|stop| *stop).await) };
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(closed).await {
        tracing::error!(%error, "the front door failed");
    }
}

/// Listens on an address; port 0 takes a free one.
pub(crate) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |error: std::io::Error| {
        StartError::new(
            format!("cannot listen on `{address}`: {error}"),
            "stop what listens there, or give another address with `--listen`; port 0 takes a free one",
        )
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}
