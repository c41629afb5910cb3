//! Runs whose process dies under them, while their worker lives.

use crate::given::{copied, copy, lines, logging, logs, messages, queued, ran, run, stored};
use futures::future::BoxFuture;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tidemill_engine::{Budget, Death, Engine, Gauge, Halt, Running, Step, Work};
use tidemill_operations::Plane;
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{Death as PlaneDeath, TestPlane, User};

/// An engine whose processes die in some of their steps, counted over all of them from 0: after the work, before it is told.
struct Mortal {
    engine: Arc<dyn Engine>,
    deaths: Arc<Mutex<Vec<usize>>>,
    steps: Arc<AtomicUsize>,
}

struct Execution {
    running: Box<dyn Running>,
    deaths: Arc<Mutex<Vec<usize>>>,
    steps: Arc<AtomicUsize>,
}

impl Engine for Mortal {
    fn execute(&self, work: Work) -> Box<dyn Running> {
        let running = self.engine.execute(work);
        Box::new(Execution { running, deaths: self.deaths.clone(), steps: self.steps.clone() })
    }

    fn is_apart(&self) -> bool {
        true
    }
}

impl Running for Execution {
    fn step(&mut self, budget: Budget) -> BoxFuture<'_, Result<Step, Halt>> {
        Box::pin(async move {
            let made = self.running.step(budget).await;
            let step = self.steps.fetch_add(1, Ordering::Relaxed);
            if self.deaths.lock().unwrap().contains(&step) {
                let (message, hint) = ("was ended by signal 9".to_owned(), "look at the kernel's log".to_owned());
                return Err(Halt::Died(Death { message, hint }));
            }
            made
        })
    }

    fn gauge(&self) -> Gauge {
        self.running.gauge()
    }

    fn abandon(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.running.abandon()
    }
}

/// Lets the processes of a plane die in these steps.
fn mortal(world: &mut TestPlane, deaths: &[usize]) {
    let plane: &mut Plane = Arc::get_mut(&mut world.plane).unwrap();
    let (deaths, steps) = (Arc::new(Mutex::new(deaths.to_vec())), Arc::default());
    plane.engine = Arc::new(Mortal { engine: plane.engine.clone(), deaths, steps });
}

#[tokio::test]
async fn a_run_whose_process_died_goes_on_after_its_last_save_in_another() {
    let mut world = TestPlane::new().await;
    mortal(&mut world, &[3]);
    let ana = world.user("ana").await;
    let written = lines(&world, 400);
    ana.deploy(copy("p"), "manual").await.ok();

    let ended = ran(&world, &ana, "p").await;

    assert_eq!((&ended["state"], &ended["attempt"], &ended["error"]), (&json!("succeeded"), &json!(1), &json!(null)));
    assert_eq!((ended["objects"].as_u64(), copied(&world)), (Some(400), written));
    let id = ended["id"].as_str().unwrap();
    let log = messages(&logs(&ana, id, 0).await);
    assert_eq!(log, ["the process that executed it was ended by signal 9; it goes on after the last save"]);
    let record = stored(&world, id).await;
    assert_eq!((record.epoch, record.engine_deaths, record.deaths), (1, 1, 0));
}

#[tokio::test]
async fn a_run_whose_process_died_logs_no_line_twice_and_loses_none() {
    let mut world = TestPlane::new().await;
    mortal(&mut world, &[2]);
    let ana = world.user("ana").await;
    let written = lines(&world, 300);
    ana.deploy(logging("p"), "manual").await.ok();

    let ended = ran(&world, &ana, "p").await;

    let mut log = messages(&logs(&ana, ended["id"].as_str().unwrap(), 0).await);
    log.retain(|line| !line.starts_with("the process that executed it"));
    assert_eq!((&ended["state"], log), (&json!("succeeded"), written));
}

#[tokio::test]
async fn a_run_that_killed_its_process_twice_fails_for_good_whatever_it_saved_between() {
    let mut world = TestPlane::new().await;
    mortal(&mut world, &[1, 4]);
    let ana = world.user("ana").await;
    lines(&world, 1_000);
    ana.deploy(copy("p"), "manual").await.ok();

    let ended = ran(&world, &ana, "p").await;

    assert_eq!((&ended["state"], &ended["attempt"]), (&json!("failed"), &json!(1)));
    assert_eq!(ended["error"]["message"], "the process that executed it was ended by signal 9, 2 times");
    assert_eq!(ended["error"]["hint"], "look at the kernel's log");
}

/// A plane that died at a call of the table, right after it counted the death of a run's process.
async fn dead_after_counting() -> (TestPlane, User, String) {
    for call in 3.. {
        let mut world = TestPlane::new().await;
        mortal(&mut world, &[1]);
        let ana = world.user("ana").await;
        lines(&world, 1_000);
        ana.deploy(copy("p"), "manual").await.ok();
        let id = queued(&ana, "p").await;
        world.faults.die(Some(PlaneDeath::After(call)));
        world.answer(QueueKind::Runs).await;
        let world = world.restarted().await;
        if stored(&world, &id).await.engine_deaths == 1 {
            return (world, ana, id);
        }
    }
    unreachable!("it counts the death at some call")
}

#[tokio::test]
async fn deaths_of_processes_are_counted_across_the_workers_of_a_run() {
    let (mut world, ana, id) = dead_after_counting().await;
    mortal(&mut world, &[1]);
    let ana = ana.at(&world.plane);

    world.settle().await;

    let ended = run(&ana, &id).await;
    assert_eq!(ended["state"], "failed", "{ended}");
    assert!(ended["error"]["message"].as_str().unwrap().ends_with("2 times"), "{ended}");
}

#[tokio::test]
async fn deaths_of_the_plane_give_no_run_up_that_is_executed_apart() {
    let mut world = TestPlane::new().await;
    mortal(&mut world, &[]);
    let mut ana = world.user("ana").await;
    let written = lines(&world, 60);
    ana.deploy(copy("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;
    for _ in 0..25 {
        // The third call takes the run.
        world.faults.die(Some(PlaneDeath::After(2)));
        world.answer(QueueKind::Runs).await;
        world = world.restarted().await;
        mortal(&mut world, &[]);
        ana = ana.at(&world.plane);
    }
    assert!(stored(&world, &id).await.deaths > 20);

    world.settle().await;

    assert_eq!((&run(&ana, &id).await["state"], copied(&world)), (&json!("succeeded"), written));
}
