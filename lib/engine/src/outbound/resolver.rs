//! Name lookup that refuses a name if any of its addresses is refused. The client connects to the very addresses that
//! were checked, so a name that answers differently the next time gains nothing.

use super::{NetworkPolicy, allow};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;

pub struct Guard(pub NetworkPolicy);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0;
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            for address in &addresses {
                allow(policy, address.ip())?;
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
