//! Who may come in: how many connections there are in all, and how many of one address.
//!
//! Newcomers wait for a place instead of being refused. A connection that is silent waits with those of its address, so that
//! silent ones keep no other address out. A WebSocket gives its place back once it has logged in: what is bounded for an address is its
//! strangers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, Weak};
use tidemill_operations::socket::household;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most connections, where the limit of files allows so many. Each costs some kilobytes.
const CONNECTIONS: usize = 16_384;
/// Fewest connections, however low the limit of files is.
const FEWEST: usize = 16;

/// The places for connections.
pub struct Admission {
    all: Arc<Semaphore>,
    /// Places of an address, and as many may wait for one of them.
    of_address: usize,
    addresses: Mutex<HashMap<IpAddr, Weak<Address>>>,
}

struct Address {
    served: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// A place of an address; given up when it is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    _address: Arc<Address>,
}

/// A connection that has not begun to ask.
pub struct Newcomer {
    address: Arc<Address>,
    _waiting: OwnedSemaphorePermit,
}

impl Newcomer {
    /// Waits for a place among the connections of its address.
    pub async fn place(self) -> Place {
        let permit = self.address.served.clone().acquire_owned().await.expect("it is never closed");
        Place { _permit: permit, _address: self.address }
    }
}

impl Admission {
    /// Places for as many connections as there may be open files, less those that the plane needs itself.
    pub fn for_files(files: u64) -> Admission {
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        Admission::of((files / 4 * 3).clamp(FEWEST, CONNECTIONS))
    }

    /// An address takes half of the places at most: one half of these is served, the other waits.
    fn of(connections: usize) -> Admission {
        Admission {
            all: Arc::new(Semaphore::new(connections)),
            of_address: connections / 4,
            addresses: Mutex::default(),
        }
    }

    /// Waits for a place for one more connection.
    pub async fn enter(&self) -> OwnedSemaphorePermit {
        self.all.clone().acquire_owned().await.expect("it is never closed")
    }

    /// Lets one more connection of an address wait; `None` when too many of it wait already.
    pub fn newcomer(&self, peer: IpAddr) -> Option<Newcomer> {
        let address = self.address(household(peer));
        let waiting = address.waiting.clone().try_acquire_owned().ok()?;
        Some(Newcomer { address, _waiting: waiting })
    }

    fn address(&self, peer: IpAddr) -> Arc<Address> {
        let mut addresses = self.addresses.lock().expect("no panic happens while it is held");
        if let Some(known) = addresses.get(&peer).and_then(Weak::upgrade) {
            return known;
        }
        addresses.retain(|_, address| address.strong_count() > 0);
        let places = || Arc::new(Semaphore::new(self.of_address));
        let address = Arc::new(Address { served: places(), waiting: places() });
        addresses.insert(peer, Arc::downgrade(&address));
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[tokio::test]
    async fn a_newcomer_waits_until_a_connection_ends() {
        let admission = Admission::of(FEWEST);
        let mut open = Vec::new();
        for _ in 0..FEWEST {
            open.push(admission.enter().now_or_never().expect("there is room"));
        }
        assert!(admission.enter().now_or_never().is_none());

        open.pop();

        assert!(admission.enter().now_or_never().is_some());
    }

    fn placed(admission: &Admission, last: u8) -> Option<Place> {
        admission.newcomer(peer(last)).expect("it may wait").place().now_or_never()
    }

    #[tokio::test]
    async fn an_address_that_takes_all_its_places_keeps_no_other_waiting() {
        let admission = Admission::of(FEWEST);
        let mut held = Vec::new();
        for _ in 0..FEWEST / 4 {
            held.push(placed(&admission, 1).expect("there is room"));
        }
        assert!(placed(&admission, 1).is_none());
        assert!(placed(&admission, 2).is_some());

        held.pop();

        assert!(placed(&admission, 1).is_some());
    }

    #[tokio::test]
    async fn silent_connections_of_an_address_keep_no_other_out() {
        let admission = Admission::of(FEWEST);
        let silent: Vec<_> = (0..FEWEST).map_while(|_| admission.newcomer(peer(1))).collect();

        assert_eq!(silent.len(), FEWEST / 4, "more are let go at once");
        assert!(placed(&admission, 2).is_some());
        drop(silent);
        assert!(placed(&admission, 1).is_some());
    }

    #[test]
    fn a_plane_with_few_files_has_places_for_fewer() {
        let places = |files| Admission::for_files(files).all.available_permits();
        assert_eq!((places(1024), places(u64::MAX), places(0)), (768, CONNECTIONS, FEWEST));
    }
}
