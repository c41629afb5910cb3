//! Which pages may open a WebSocket.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use http::uri::Authority;

/// Only browsers send an origin, and one alone; it has to be the host that they connect to.
/// <https://www.rfc-editor.org/rfc/rfc6455#section-10.2>
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin.to_str().is_ok_and(|origin| is_of_host(origin, headers)),
        (Some(_), Some(_)) => false,
    }
}

fn is_of_host(origin: &str, headers: &HeaderMap) -> bool {
    let Some((scheme, origin)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
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
            "ftp://localhost:5565",
            "chrome-extension://localhost:5565",
            "http://localhost:5565, http://localhost:5565",
            "file://",
            "http://",
        ] {
            assert!(!from(origin, "localhost:5565"), "{origin}");
        }
    }

    #[test]
    fn a_second_origin_is_one_too_many() {
        let headers = [(HOST, "localhost:1"), (ORIGIN, "http://localhost:1"), (ORIGIN, "http://localhost:1")];
        let mut sent = HeaderMap::new();
        for (name, value) in headers {
            sent.append(name, value.parse().unwrap());
        }
        assert!(!is_same_origin(&sent));
    }
}
