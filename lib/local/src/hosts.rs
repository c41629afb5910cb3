//! Which names a plane answers to.
//!
//! A page of the web may give its own name the address of this machine, and then calls the plane as its own server (DNS
//! rebinding). Only the name in `Host` gives it away, so a plane of this machine answers to names of this machine alone.

use http::Request;
use http::header::HOST;
use http::uri::Authority;
use std::net::{IpAddr, SocketAddr};
use tidemill_protocols::refused;
use tidemill_protocols::rest::Response;

/// The names that a plane answers to.
pub struct Hosts {
    /// A plane that others reach has names that it does not know.
    is_loopback: bool,
    added: Option<String>,
}

impl Hosts {
    /// Those of a plane that listens on an address, with one that was added.
    pub fn of(address: SocketAddr, added: Option<String>) -> Hosts {
        Hosts { is_loopback: address.ip().to_canonical().is_loopback(), added }
    }

    /// The refusal of a request that is for another host. A request that names none is a program's.
    pub fn refuse<B>(&self, request: &Request<B>) -> Option<Response> {
        let hosts = request.headers().get_all(HOST).iter().map(|host| Authority::try_from(host.as_bytes()).ok());
        let mut named = hosts.chain(request.uri().authority().cloned().map(Some));
        let is_here = named.all(|name| name.is_some_and(|name| self.answers_to(&name)));
        (!is_here).then(|| refused::other_host(request.uri().path()))
    }

    fn answers_to(&self, name: &Authority) -> bool {
        let host = name.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let is_address = || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback());
        !self.is_loopback
            || host.eq_ignore_ascii_case("localhost")
            || is_address()
            || self.added.as_deref().is_some_and(|added| added.eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_answered(hosts: &Hosts, host: &str) -> bool {
        hosts.refuse(&Request::builder().uri("/v1/runs").header(HOST, host).body(()).unwrap()).is_none()
    }

    fn loopback(added: Option<&str>) -> Hosts {
        Hosts::of(([127, 0, 0, 1], 5565).into(), added.map(str::to_owned))
    }

    #[test]
    fn a_plane_of_this_machine_answers_to_names_of_this_machine_alone() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:5565",
            "localhost",
            "LOCALHOST:80",
            "localhost.:1",
            "[::1]",
            "[::1]:5565",
            "127.1.2.3",
        ] {
            assert!(is_answered(&loopback(None), host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:5565",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evil.example:localhost",
            "localhost@evil.example",
            "192.168.0.1",
            "0.0.0.0",
            "[::2]",
            "",
            "ü",
        ] {
            assert!(!is_answered(&loopback(None), host), "{host}");
        }
    }

    #[test]
    fn a_name_that_was_added_is_answered_to() {
        assert!(is_answered(&loopback(Some("plane.internal")), "Plane.Internal:5565"));
        assert!(!is_answered(&loopback(Some("plane.internal")), "evil.example"));
    }

    #[test]
    fn a_plane_that_others_reach_answers_to_every_name() {
        let hosts = Hosts::of(([0, 0, 0, 0], 5565).into(), None);
        assert!(is_answered(&hosts, "plane.example"));
    }

    #[test]
    fn a_program_that_names_no_host_is_answered_and_a_second_name_counts() {
        let request = |uri: &str| Request::builder().uri(uri).body(()).unwrap();
        assert!(loopback(None).refuse(&request("/v1/runs")).is_none());
        assert!(loopback(None).refuse(&request("http://localhost:1/v1/runs")).is_none());
        let refused = loopback(None).refuse(&request("http://evil.example/v1/runs")).unwrap();
        assert_eq!(refused.status, 421);
    }
}
