//! Who may open a WebSocket at API Gateway.

use futures::future::join_all;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use tidemill_model::ids::ConnectionId;
use tidemill_operations::socket::{Connection, STRANGERS_LIMIT, WAITING_LIMIT};
use tidemill_protocols::dap::api_gateway::{self, SocketEvent, SocketOutcome};
use tidemill_testing::{TestPlane, seconds};

#[tokio::test]
async fn of_twenty_connections_that_an_address_opens_at_once_each_can_log_in() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;

    let opened = join_all((0..20).map(|_| world.visitor(1))).await;
    let mut visitors: Vec<_> = opened.into_iter().map(|visitor| visitor.expect("it is let in")).collect();
    for visitor in &mut visitors {
        visitor.ask("auth", json!({"auth": ana.key})).await.ok();
    }

    assert!(visitors.iter().all(|visitor| visitor.is_open()));
    assert_eq!(world.plane.store.strangers().await.unwrap(), []);
}

#[tokio::test]
async fn of_more_than_ten_that_did_not_log_in_one_that_asks_for_anything_else_is_closed() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    let mut strangers = Vec::new();
    for _ in 0..10 {
        strangers.push(world.visitor(1).await.unwrap());
    }
    strangers[0].ask("rrext_public_probe", json!({})).await.ok();
    let mut eleventh = world.visitor(1).await.unwrap();

    eleventh.send("rrext_public_probe", json!({})).await.unwrap();
    let is_closed = !eleventh.is_open();
    eleventh.leave().await;
    strangers[1].ask("rrext_public_probe", json!({})).await.ok();
    let mut twelfth = world.visitor(1).await.unwrap();
    twelfth.ask("auth", json!({"auth": ana.key})).await.ok();

    assert!(is_closed && strangers[0].is_open() && twelfth.is_open());
    twelfth.ask("rrext_ping", json!({})).await.ok();
}

#[tokio::test]
async fn an_address_may_not_have_any_number_of_sockets_that_did_not_log_in() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    let mut strangers = Vec::new();
    for _ in 0..STRANGERS_LIMIT + WAITING_LIMIT {
        strangers.push(world.visitor(1).await.unwrap());
    }

    assert_eq!(world.visitor(1).await.err(), Some(429));
    assert!(world.visitor(2).await.is_ok(), "another address");

    strangers[0].ask("auth", json!({"auth": ana.key})).await.ok();
    strangers[1].leave().await;
    assert!(world.visitor(1).await.is_ok(), "one is no stranger any more");
    assert!(world.visitor(1).await.is_ok(), "another is gone");
    assert_eq!(world.visitor(1).await.err(), Some(429));
}

#[tokio::test]
async fn of_many_at_once_there_are_never_more_than_may_be() {
    let world = TestPlane::new().await.behind_api_gateway();

    let let_in = join_all((0..230).map(|_| world.visitor(1))).await.into_iter().filter(Result::is_ok).count();

    assert!(let_in <= STRANGERS_LIMIT + WAITING_LIMIT, "{let_in}");
    assert_eq!(world.plane.store.strangers().await.unwrap().len(), let_in, "who was turned away is not counted");
}

#[tokio::test]
async fn those_of_one_household_are_counted_together() {
    let world = TestPlane::new().await.behind_api_gateway();
    let open = |host: u16| {
        let event = SocketEvent {
            connection: Connection {
                id: ConnectionId::parse(format!("v6-{host}")).unwrap(),
                peer: IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]),
                opened_at: world.now(),
            },
            at: world.now(),
            is_of_page: false,
            time: seconds(26),
            text: None,
        };
        api_gateway::open(&world.plane, event)
    };
    let all = (STRANGERS_LIMIT + WAITING_LIMIT) as u16;
    for host in 0..all {
        assert_eq!(open(host).await.unwrap(), SocketOutcome::Taken);
    }

    assert_eq!(open(all).await.unwrap(), SocketOutcome::Refused(429));
}

#[tokio::test]
async fn a_page_may_not_connect() {
    let world = TestPlane::new().await.behind_api_gateway();
    let event = SocketEvent {
        connection: Connection {
            id: ConnectionId::parse("page").unwrap(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            opened_at: world.now(),
        },
        at: world.now(),
        is_of_page: true,
        time: seconds(26),
        text: None,
    };

    assert_eq!(api_gateway::open(&world.plane, event).await.unwrap(), SocketOutcome::Refused(403));
    assert!(world.plane.store.strangers().await.unwrap().is_empty());
}
