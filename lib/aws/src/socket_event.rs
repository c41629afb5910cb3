//! Events of an API Gateway WebSocket API, and the answers to them.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tidemill_model::ids::ConnectionId;
use tidemill_operations::socket::Connection;
use tidemill_operations::{Code, Error};
use tidemill_protocols::dap::api_gateway::{SocketEvent, SocketOutcome};

/// What API Gateway gives.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayEvent {
    request_context: Context,
    /// Those of the request that opened it; there are none later.
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    connection_id: ConnectionId,
    /// Milliseconds since 1970, as the next one.
    connected_at: Option<i64>,
    request_time_epoch: Option<i64>,
    identity: Option<Identity>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    source_ip: Option<IpAddr>,
}

/// What API Gateway acts on: it opens no WebSocket unless the status is of the 200s.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayAnswer {
    status_code: u16,
}

impl From<SocketOutcome> for GatewayAnswer {
    fn from(outcome: SocketOutcome) -> GatewayAnswer {
        match outcome {
            SocketOutcome::Taken => GatewayAnswer { status_code: 200 },
            SocketOutcome::Refused(status_code) => GatewayAnswer { status_code },
        }
    }
}

impl GatewayEvent {
    /// What happened; `now` stands for a time that is missing, `time_left` is the time for the answer.
    ///
    /// # Errors
    /// The frame cannot be one.
    pub fn read(self, now: Timestamp, time_left: Duration) -> Result<SocketEvent, Error> {
        let time = |millis: Option<i64>| millis.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(now);
        let text = match (self.body, self.is_base64_encoded) {
            (Some(body), true) => Some(decoded(&body)?),
            (body, _) => body,
        };
        let context = self.request_context;
        let is_of_page =
            |headers: BTreeMap<_, _>| headers.keys().any(|name: &String| name.eq_ignore_ascii_case("origin"));
        let peer = context.identity.and_then(|identity| identity.source_ip);
        Ok(SocketEvent {
            connection: Connection {
                id: context.connection_id,
                peer: peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
                opened_at: time(context.connected_at),
            },
            at: time(context.request_time_epoch),
            is_of_page: self.headers.is_some_and(is_of_page),
            time: time_left,
            text,
        })
    }
}

fn decoded(body: &str) -> Result<String, Error> {
    let bytes = STANDARD.decode(body).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Error::new(Code::InvalidArgument, "the frame cannot be read").hint("send it as text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(text: &str) -> SocketEvent {
        let event: GatewayEvent = serde_json::from_str(text).unwrap();
        event.read(Timestamp::UNIX_EPOCH, Duration::from_secs(26)).unwrap()
    }

    #[test]
    fn the_sample_events_are_of_one_connection() {
        let opened = sample(include_str!("../../../infra/events/socket_open.json"));
        let received = sample(include_str!("../../../infra/events/socket_receive.json"));
        let closed = sample(include_str!("../../../infra/events/socket_close.json"));

        for event in [&opened, &received, &closed] {
            assert_eq!(event.connection.id.as_str(), "L0SM9cOFvHcCIhw=");
            assert_eq!(event.connection.peer.to_string(), "203.0.113.7");
            assert_eq!(event.connection.opened_at, "2026-11-28T10:00:00.123Z".parse().unwrap());
        }
        assert_eq!((opened.text, opened.is_of_page), (None, false));
        assert!(received.text.unwrap().contains("rrext_ping"));
        assert!(received.at > received.connection.opened_at);
    }

    #[test]
    fn a_page_is_known_by_its_origin() {
        let text = include_str!("../../../infra/events/socket_open.json");

        assert!(sample(&text.replace("User-Agent", "origin")).is_of_page);
    }

    #[test]
    fn a_refusal_is_a_status() {
        assert_eq!(GatewayAnswer::from(SocketOutcome::Taken), GatewayAnswer { status_code: 200 });
        assert_eq!(GatewayAnswer::from(SocketOutcome::Refused(429)), GatewayAnswer { status_code: 429 });
    }
}
