//! One connection of a RocketRide client: logging in and out, who may stay, and the order of things.

use futures::future::join_all;
use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_protocols::dap::{Frame, Outgoing};
use tidemill_testing::{Death, TestPlane, User, pipeline, seconds};

#[tokio::test]
async fn the_answer_to_a_login_names_the_user() {
    let world = TestPlane::new().await;
    let ana = world.user_with("ana", &[Scope::Control, Scope::Monitor]).await;
    let mut dap = world.stranger(1).unwrap();

    let body = dap.ask("auth", json!({"auth": format!("Bearer {}", ana.key), "clientName": "x"})).await.ok();

    assert_eq!(body["userId"], "ana");
    assert_eq!(body["userToken"], ana.key.as_str());
    assert_eq!(body["organization"]["teams"][0]["permissions"], json!(["task.control", "task.monitor"]));
    assert_eq!(body["organization"]["permissions"], json!([]));
    assert!(body.get("auth").is_none());
}

#[tokio::test]
async fn a_refused_login_is_answered_before_the_socket_closes() {
    let world = TestPlane::new().await;
    for (auth, message) in [
        (json!(""), "No authorization provided"),
        (json!("Bearer  "), "No authorization provided"),
        (Value::Null, "No authorization provided"),
        (json!("nonsense"), "Invalid API key"),
        (json!(["x"]), "Invalid API key"),
    ] {
        let mut dap = world.stranger(1).unwrap();

        assert_eq!(dap.ask("auth", json!({"auth": auth})).await.refused(), message);

        assert_eq!(dap.closed(), Some(1008));
    }
}

#[tokio::test]
async fn a_connection_without_a_login_is_closed_after_five_seconds() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut stranger = world.stranger(1).unwrap();
    let mut known = world.socket(&ana).await;
    let mut left = world.socket(&ana).await;
    left.ask("deauth", json!({})).await.ok();

    for dap in [&mut stranger, &mut known, &mut left] {
        dap.look(&world).await;
        assert_eq!(dap.sent(), None);
    }
    world.sleep(seconds(5));
    for dap in [&mut stranger, &mut known, &mut left] {
        dap.look(&world).await;
    }

    assert_eq!(stranger.closed(), Some(1008));
    assert_eq!(known.sent(), None);
    assert_eq!(left.sent(), None, "who logged in once may log in again");
}

#[tokio::test]
async fn an_address_may_have_ten_sockets_that_did_not_log_in() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut strangers: Vec<_> = (0..10).map(|_| world.stranger(1).unwrap()).collect();

    assert_eq!(world.stranger(1).err().map(|close| close.code), Some(1008));
    assert!(world.stranger(2).is_ok(), "another address");

    strangers[0].ask("auth", json!({"auth": ana.key})).await.ok();
    let eleventh = world.stranger(1).expect("the first one is no stranger any more");
    assert!(world.stranger(1).is_err());
    drop(eleventh);
    assert!(world.stranger(1).is_ok());
    drop(strangers);
    assert_eq!((0..20).filter_map(|_| world.stranger(1).ok().map(std::mem::forget)).count(), 10);
}

#[tokio::test]
async fn of_twenty_sockets_that_open_at_once_each_has_its_turn_to_log_in() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let opened = (0..20).map(|_| async {
        let mut dap = world.newcomer(1).await.expect("none is closed");
        dap.ask("auth", json!({"auth": ana.key})).await.ok();
        dap
    });

    assert_eq!(futures::future::join_all(opened).await.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_socket_does_not_wait_for_its_turn_for_ever() {
    let world = TestPlane::new().await;
    let _strangers: Vec<_> = (0..10).map(|_| world.stranger(1).unwrap()).collect();

    assert_eq!(world.newcomer(1).await.err().map(|close| close.code), Some(1008));
}

#[tokio::test]
async fn a_revoked_key_can_do_nothing_more() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let made = ana.post("/v1/keys", json!({})).await.ok();
    let other = User::new(world.plane.clone(), made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    let mut dap = world.socket(&other).await;
    dap.ask("rrext_deploy_list", json!({})).await.ok();

    ana.delete(&format!("/v1/keys/{}", other.key_id)).await.ok();

    assert!(dap.ask("rrext_deploy_list", json!({})).await.refused().starts_with("the API key is not valid"));
    assert_eq!(dap.closed(), Some(1008));
}

#[tokio::test]
async fn the_silent_socket_of_a_revoked_key_is_closed_within_a_minute() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.socket(&ana).await;
    world.sleep(seconds(1));
    ana.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();

    world.sleep(seconds(14));
    dap.look(&world).await;
    assert_eq!(dap.sent(), None, "looked at too short a time ago");
    world.sleep(seconds(15));
    dap.look(&world).await;

    assert_eq!(dap.closed(), Some(1008));
}

#[tokio::test]
async fn a_table_that_does_not_answer_closes_no_socket() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.socket(&ana).await;
    world.sleep(seconds(60));

    world.faults.die(Some(Death::Before(0)));
    dap.look(&world).await;
    assert!(world.faults.is_dead(), "it was asked");
    world.faults.die(None);

    assert_eq!(dap.sent(), None);
    dap.ask("rrext_ping", json!({})).await.ok();
}

#[tokio::test]
async fn a_table_that_does_not_answer_refuses_no_login() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.stranger(1).unwrap();

    world.faults.die(Some(Death::Before(0)));
    dap.send("auth", json!({"auth": ana.key})).await;
    world.faults.die(None);

    assert_eq!(dap.closed(), Some(1013), "closed without an answer: the client comes again");
}

#[tokio::test]
async fn a_silent_socket_costs_a_read_in_thirty_seconds() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.socket(&ana).await;

    world.faults.die(None);
    for _ in 0..8 {
        world.sleep(seconds(15));
        dap.look(&world).await;
    }

    assert_eq!(world.faults.calls().len(), 4);
}

#[tokio::test]
async fn a_request_costs_one_read_for_its_key() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.socket(&ana).await;

    world.faults.die(None);
    dap.ask("rrext_ping", json!({})).await.ok();

    let calls = world.faults.calls();
    assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), ["GetItem"]);
}

#[tokio::test]
async fn requests_belong_to_the_login_that_came_before_them() {
    let world = TestPlane::new().await;
    let (ana, bob) = (world.user("ana").await, world.user("bob").await);
    let mut dap = world.stranger(1).unwrap();

    let works = [
        dap.send("auth", json!({"auth": ana.key})),
        dap.send("rrext_dashboard", json!({})),
        dap.send("deauth", json!({})),
        dap.send("auth", json!({"auth": bob.key})),
        dap.send("rrext_deploy_add", json!({"pipeline": pipeline("p")})),
    ];
    // The last one is begun first.
    join_all(works.into_iter().rev()).await;

    let mut replies: Vec<_> = (0..5).map(|_| dap.reply().0).collect();
    replies.sort_by_key(|reply| reply["request_seq"].as_u64());
    assert!(replies.iter().all(|reply| reply["success"] == true), "{replies:#?}");
    assert_eq!(replies[4]["body"]["userId"], "bob");
}

#[tokio::test]
async fn what_comes_after_a_logout_is_refused() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.socket(&ana).await;

    dap.ask("deauth", json!({})).await.ok();

    assert_eq!(dap.ask("rrext_ping", json!({})).await.refused(), "Not authenticated");
    assert_eq!(dap.closed(), Some(1008));
}

#[tokio::test]
async fn a_socket_has_five_logins() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.socket(&ana).await;
    for _ in 0..4 {
        dap.ask("deauth", json!({})).await.ok();
        dap.ask("auth", json!({"auth": ana.key})).await.ok();
    }

    assert_eq!(dap.ask("auth", json!({"auth": ana.key})).await.refused(), "Too many authentication attempts");
    assert_eq!(dap.closed(), Some(1008));
}

#[tokio::test]
async fn a_key_has_256_sockets_and_the_next_login_says_what_to_do() {
    let world = TestPlane::new().await;
    let (ana, bob) = (world.user("ana").await, world.user("bob").await);
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(world.socket(&ana).await);
    }

    let mut one_more = world.stranger(1).unwrap();
    let refused = one_more.ask("auth", json!({"auth": ana.key})).await.refused();
    let closed = one_more.closed();
    drop(one_more);
    let _other = world.socket(&bob).await;

    assert!(refused.starts_with("256 connections are logged in with this key"), "{refused}");
    assert!(refused.contains("close those that are not needed, or log in with another key"), "{refused}");
    assert_eq!(closed, Some(1008));
    // A socket that logs out or closes makes room, and one that logs in again takes no second place.
    open[0].ask("auth", json!({"auth": ana.key})).await.ok();
    open[0].ask("deauth", json!({})).await.ok();
    open.push(world.socket(&ana).await);
    assert!(world.stranger(1).unwrap().ask("auth", json!({"auth": ana.key})).await.refused().starts_with("256 "));
    open.pop();
    world.socket(&ana).await;
}

#[tokio::test]
async fn the_dashboard_shows_ones_own_connections() {
    let world = TestPlane::new().await;
    let (ana, bob) = (world.user("ana").await, world.user("bob").await);
    let mut first = world.socket(&ana).await;
    let _second = world.socket(&ana).await;
    let _other = world.socket(&bob).await;
    drop(world.socket(&ana).await);
    first.ask("rrext_identify", json!({"clientName": "mine"})).await.ok();
    world.sleep(seconds(90));

    let shown = first.ask("rrext_dashboard", json!({})).await.ok();

    assert_eq!(shown["overview"], json!({"totalConnections": 2, "activeTasks": 0, "serverUptime": 90.0}));
    assert_eq!(shown["connections"][0]["clientInfo"]["name"], "mine");
    assert_eq!(shown["connections"][0]["messagesIn"], 3);
    assert!(!shown.to_string().contains(&ana.key));
}

#[tokio::test]
async fn a_frame_that_cannot_be_answered_closes_the_socket() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for text in ["", "x", "[]", "{}", "{\"seq\":\"1\",\"command\":\"auth\"}"] {
        let mut dap = world.socket(&ana).await;

        dap.frame(Frame::Text(text.into())).await;

        assert_eq!(dap.closed(), Some(1007), "{text}");
    }
}

#[tokio::test]
async fn a_large_frame_of_a_stranger_is_not_read() {
    let world = TestPlane::new().await;
    let mut dap = world.stranger(1).unwrap();

    dap.frame(Frame::Text("x".repeat(70_000).into())).await;

    assert_eq!(dap.closed(), Some(1009));
}

/// Frames that are cut, doubled and changed: whatever comes, each one is answered once, closed or passed over.
#[tokio::test]
async fn no_noise_breaks_a_session() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let requests: Vec<Vec<u8>> =
        ["rrext_deploy_add", "rrext_deploy_update", "rrext_validate", "rrext_services", "auth"]
            .into_iter()
            .map(|command| {
                let arguments = json!({"pipeline": pipeline("p"), "projectId": "p", "schedule": "@daily"});
                json!({"type": "request", "seq": 7, "command": command, "arguments": arguments})
                    .to_string()
                    .into_bytes()
            })
            .collect();
    let mut random = [0; 4];
    let mut next = |limit: usize| {
        world.plane.ambient.fill(&mut random);
        u32::from_le_bytes(random) as usize % limit
    };

    for round in 0..200 {
        let mut bytes = requests[round % requests.len()].clone();
        for _ in 0..1 + next(4) {
            let at = next(bytes.len());
            match next(4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = next(256) as u8,
                2 => bytes.insert(at, b"[]{}\",:\n\\0e-"[next(12)]),
                _ => drop(bytes.remove(at.min(bytes.len() - 1))),
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        let mut dap = world.socket(&ana).await;

        dap.frame(if next(2) == 0 { Frame::Text(bytes.into()) } else { Frame::Binary(bytes.into()) }).await;

        let sent: Vec<_> = std::iter::from_fn(|| dap.sent()).collect();
        assert!(sent.len() <= 2, "{sent:?}");
        assert!(sent.iter().filter(|sent| matches!(sent, Outgoing::Text(_))).count() <= 1, "{sent:?}");
    }
}
