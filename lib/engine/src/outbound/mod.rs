//! The one way out: an HTTP client that checks every address before it connects.

mod addresses;
mod resolver;

use crate::component::Fault;
use addresses::Verdict;
use resolver::Guard;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Which networks components may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkPolicy {
    /// Public addresses on ports 80 and 443.
    Public,
    /// Also loopback and private networks, any port. Never link-local addresses, where clouds keep their credentials.
    AllowPrivate,
}

/// The HTTP client of a plane.
#[derive(Debug)]
pub struct Outbound {
    policy: NetworkPolicy,
    /// Requests that may change something are not sent.
    withholds_writes: bool,
    /// Made at the first request: reading the system's certificates would slow every cold start.
    client: OnceLock<Result<reqwest::Client, String>>,
}

/// The client could not be made, e.g. because the system has no root certificates.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the HTTP client cannot be made: {0}")]
pub struct OutboundError(String);

impl Outbound {
    pub fn new(policy: NetworkPolicy) -> Result<Outbound, OutboundError> {
        Ok(Outbound { policy, withholds_writes: false, client: OnceLock::new() })
    }

    /// Sends nothing but requests that only read: `http_request` logs the others instead, and gives nothing for them.
    pub fn withhold_writes(self) -> Outbound {
        Outbound { withholds_writes: true, ..self }
    }

    /// Which networks it reaches.
    pub fn policy(&self) -> NetworkPolicy {
        self.policy
    }

    /// Whether a request with this method is not sent.
    pub(crate) fn withholds(&self, method: &reqwest::Method) -> bool {
        self.withholds_writes && !method.is_safe()
    }

    /// Makes the client now instead of at the first request.
    pub fn warm(&self) -> Result<(), OutboundError> {
        self.client().map(|_| ())
    }

    fn client(&self) -> Result<&reqwest::Client, OutboundError> {
        let client = self.client.get_or_init(|| {
            client()
                .dns_resolver(Guard(self.policy))
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .connect_timeout(CONNECT_TIMEOUT)
                .user_agent(concat!("tidemill/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|problem| problem.to_string())
        });
        client.as_ref().map_err(|problem| OutboundError(problem.clone()))
    }

    /// A request to a URL that passed the checks that need no name lookup; names are checked when they are resolved.
    pub(crate) fn request(&self, method: reqwest::Method, url: &str) -> Result<reqwest::RequestBuilder, Fault> {
        let url = check(self.policy, url)?;
        let client = self.client().map_err(|problem| Fault::new(problem.to_string()))?;
        Ok(client.request(method, url))
    }
}

/// Checks all of a URL that needs no name lookup.
pub(crate) fn check(policy: NetworkPolicy, text: &str) -> Result<Url, Fault> {
    // The URL itself may hold a token, so messages name the host only.
    let url = Url::parse(text).map_err(|problem| {
        Fault::new(format!("the URL cannot be read: {problem}"))
            .hint("write it in full, e.g. `https://example.com/path`")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Fault::new(format!("a URL of the scheme `{}` is refused", url.scheme())).hint("use `https`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::new("a URL with a user name or a password is refused")
            .hint("put credentials into a header, e.g. `Authorization`"));
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err(Fault::new("the URL has no host")),
    };
    if let Some(address) = address {
        allow(policy, address).map_err(|refusal| refusal.fault(url.host_str().unwrap_or_default()))?;
    }
    let port = url.port_or_known_default().unwrap_or_default();
    if policy == NetworkPolicy::Public && !matches!(port, 80 | 443) {
        return Err(Fault::new(format!(
            "port {port} of `{}` is refused, only 80 and 443 are allowed",
            url.host_str().unwrap_or_default()
        ))
        .hint("for local work, start with `--allow-private-network`"));
    }
    Ok(url)
}

/// The start of every HTTP client of this process; the first sets the TLS of all.
#[expect(clippy::disallowed_methods, reason = "the one way out")]
pub fn client() -> reqwest::ClientBuilder {
    #[cfg(feature = "ring")]
    {
        // Where there is one already, e.g. from the client before, it stays.
        _ = rustls::crypto::ring::default_provider().install_default();
    }
    reqwest::Client::builder()
}

/// An address that must not be reached.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the address `{address}` is {kind}")]
pub(crate) struct Refusal {
    address: IpAddr,
    kind: &'static str,
    by_policy: bool,
}

impl Refusal {
    /// The refusal for a user; the host is named as it was written.
    pub fn fault(&self, host: &str) -> Fault {
        let is_address = host.trim_matches(['[', ']']).parse() == Ok(self.address);
        let fault = Fault::new(match is_address {
            true => format!("`{host}` is refused: the address is {}", self.kind),
            false => format!("`{host}` is refused: its address `{}` is {}", self.address, self.kind),
        });
        if self.by_policy {
            return fault
                .hint("only public addresses can be reached; for local work, start with `--allow-private-network`");
        }
        fault.hint("no pipeline can reach this address")
    }
}

/// Whether an address may be connected to.
pub(crate) fn allow(policy: NetworkPolicy, address: IpAddr) -> Result<(), Refusal> {
    match (addresses::verdict(address), policy) {
        (Verdict::Public, _) | (Verdict::Private(_), NetworkPolicy::AllowPrivate) => Ok(()),
        (Verdict::Private(kind), NetworkPolicy::Public) => Err(Refusal { address, kind, by_policy: true }),
        (Verdict::Never(kind), _) => Err(Refusal { address, kind, by_policy: false }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: NetworkPolicy, url: &str) -> Result<Url, Fault> {
        super::check(policy, url)
    }

    #[test]
    fn disguised_local_hosts_are_refused() {
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://169.254.169.254/latest/meta-data",
            "http://[fd00:ec2::254]/",
            "http://0/",
            "http://127.0.0.1./",
            "https://[64:ff9b::a00:1]/",
            "http://１２７.0.0.1/",
        ] {
            assert!(check(NetworkPolicy::Public, url).is_err(), "{url}");
        }
    }

    #[test]
    fn other_schemes_ports_and_user_names_are_refused() {
        for url in [
            "ftp://example.com/",
            "file:///etc/passwd",
            "http://example.com:22/",
            "http://public.com@10.0.0.1/",
            "//x",
            "gopher://x/",
        ] {
            assert!(check(NetworkPolicy::Public, url).is_err(), "{url}");
        }
        assert!(check(NetworkPolicy::Public, "https://example.com/a?b=c").is_ok());
        assert!(check(NetworkPolicy::Public, "http://example.com:443/").is_ok());
    }

    #[test]
    fn the_refusal_says_what_to_do() {
        let fault = check(NetworkPolicy::Public, "http://10.0.0.1/").unwrap_err();

        assert_eq!(fault.message, "`10.0.0.1` is refused: the address is private");
        assert!(fault.hint.unwrap().contains("--allow-private-network"));
    }

    #[test]
    fn local_work_reaches_local_hosts_but_never_the_metadata_service() {
        assert!(check(NetworkPolicy::AllowPrivate, "http://127.0.0.1:8080/").is_ok());
        assert!(check(NetworkPolicy::AllowPrivate, "http://[::1]:8080/").is_ok());
        assert!(check(NetworkPolicy::AllowPrivate, "http://192.168.1.5/").is_ok());
        assert!(check(NetworkPolicy::AllowPrivate, "http://169.254.169.254/").is_err());
        assert!(check(NetworkPolicy::AllowPrivate, "http://[fd00:ec2::254]/").is_err());
        assert!(check(NetworkPolicy::AllowPrivate, "http://[::ffff:169.254.169.254]/").is_err());
    }
}
