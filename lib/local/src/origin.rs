//! Which pages may open a WebSocket.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use http::uri::Authority;

/// Only browsers send an origin; it has to be the host that they connect to.
/// <https://www.rfc-editor.org/rfc/rfc6455#section-10.2>
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin = origin.to_str().unwrap_or_default();
    let Some((scheme, origin)) = origin.split_once("://") else { return false };
    let default_port = if scheme == "https" { 443 } else { 80 };
    let parse = |text: &str| {
        let authority: Authority = text.parse().ok()?;
        Some((authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(default_port)))
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).and_then(parse);
    host.is_some() && parse(origin) == host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: &'static str, host: &'static str) -> bool {
        let headers = [(ORIGIN, origin), (HOST, host)].map(|(name, value)| (name, value.parse().unwrap()));
        is_same_origin(&HeaderMap::from_iter(headers))
    }

    #[test]
    fn a_program_sends_no_origin() {
        assert!(is_same_origin(&HeaderMap::new()));
    }

    #[test]
    fn a_page_of_the_same_host_and_port_may_connect() {
        assert!(from("http://localhost:5565", "localhost:5565"));
        assert!(from("http://LOCALHOST:5565", "localhost:5565"));
        assert!(from("https://plane.example", "plane.example"));
        assert!(from("https://plane.example", "plane.example:443"));
        assert!(from("http://plane.example:80", "plane.example"));
        assert!(from("http://[::1]:5565", "[::1]:5565"));
    }

    #[test]
    fn a_page_of_any_other_may_not() {
        for origin in [
            "http://evil.example",
            "http://localhost",
            "http://localhost:5566",
            "https://localhost",
            "http://localhost.evil.example:5565",
            "http://localhost:5565.evil.example",
            "null",
            "",
            "localhost:5565",
            "file://",
            "http://",
        ] {
            assert!(!from(origin, "localhost:5565"), "{origin}");
        }
    }
}
