//! What a run does outside is not taken back when its worker dies, so it is saved soon.

use crate::given::{chain, run};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tidemill_testing::{Death, TestPlane, User, seconds};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const VALUES: usize = 3;
/// Calls of the table that such a run makes, at most.
const CALLS: usize = 40;
/// A little longer than what counts as a costly call.
const TAKES: Duration = Duration::from_millis(120);

/// A server that takes its time, and counts the requests.
struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn new() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/", listener.local_addr().expect("it listens"));
        let requests = Arc::<AtomicUsize>::default();
        let counted = requests.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut head = [0; 4096];
                _ = socket.read(&mut head).await;
                // How long a real call takes is the subject here.
                tokio::time::sleep(TAKES).await;
                _ = socket.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").await;
            }
        });
        Server { url, requests }
    }
}

/// Ana's run that asks the server once for each value; its worker has not seen it yet.
async fn queued(world: &TestPlane, server: &Server) -> (User, String) {
    let ana = world.user("ana").await;
    let request = ("http_request", json!({"url": server.url, "method": "GET"}), "text");
    let each = ("json", json!({"program": ".[]"}), "documents");
    let links = [("webhook", json!({}), "documents"), each, request, ("response", json!({"lanes": []}), "")];
    let hook = ana.deploy(chain("p", &links), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    let values: Vec<Value> = (0..VALUES).map(Value::from).collect();
    let answer = world.anonymous().post(&hook, json!(values)).await.ok();
    (ana, answer["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_death_repeats_the_outside_call_in_hand_and_none_before_it() {
    let mut repeated = 0;
    for call in 0..CALLS {
        let (world, server) = (TestPlane::new().await, Server::new().await);
        let (ana, id) = queued(&world, &server).await;
        world.faults.die(Some(Death::Before(call)));
        world.settle().await;
        let is_dead = world.faults.is_dead();

        let world = world.restarted().await;
        world.advance(seconds(35)).await;

        let ended = run(&ana.at(&world.plane), &id).await;
        assert_eq!(ended["state"], "succeeded", "death before call {call}: {ended}");
        let requests = server.requests.load(Ordering::SeqCst);
        assert!((VALUES..=VALUES + 1).contains(&requests), "death before call {call}: {requests} requests");
        repeated += requests - VALUES;
        if !is_dead {
            assert!(repeated >= VALUES, "a death after each call, before it was saved, is among them");
            return;
        }
    }
    panic!("the run makes more than {CALLS} calls");
}
