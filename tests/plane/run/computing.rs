//! Runs whose step computes without a pause: neither their worker nor anything else waits for it.

use crate::given::{queued, run};
use serde_json::json;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tidemill_engine::InProcess;
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{TestPlane, pipeline};
use tokio::runtime::Runtime;

/// Threads for pipelines whose only one is busy until it is let go.
struct Busy {
    threads: Option<Runtime>,
    _held: mpsc::Sender<()>,
}

impl Busy {
    fn new() -> Busy {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (held, let_go) = mpsc::channel();
        threads.spawn(async move { let_go.recv() });
        Busy { threads: Some(threads), _held: held }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.threads.take().unwrap().shutdown_background();
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_step_computes_without_a_pause_ends_at_its_limit() {
    let busy = Busy::new();
    let mut world = TestPlane::new().await;
    let threads = busy.threads.as_ref().unwrap().handle().clone();
    Arc::get_mut(&mut world.plane).unwrap().engine = Arc::new(InProcess::on(threads));
    let ana = world.user("ana").await;
    let body = json!({"pipeline": pipeline("p"), "schedule": "manual", "timeoutSeconds": 2, "maxAttempts": 1});
    ana.post("/v1/deployments", body).await.ok();
    let id = queued(&ana, "p").await;

    let clock = async {
        while run(&ana, &id).await["state"] != "running" {
            tokio::task::yield_now().await;
        }
        world.clock.advance(jiff::SignedDuration::from_secs(2));
    };
    let worked = tokio::time::timeout(Duration::from_secs(60), world.answer(QueueKind::Runs));
    let (worked, ()) = futures::join!(worked, clock);

    worked.expect("the worker does not wait for the step");
    assert_eq!(run(&ana, &id).await["state"], "timed_out");
}
