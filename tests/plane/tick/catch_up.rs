//! What becomes of due minutes that the plane slept through, and when a clock is not what it was.

use serde_json::{Value, json};
use tidemill_testing::{TestPlane, minutes, pipeline};

#[tokio::test]
async fn after_downtime_within_the_window_it_runs_once() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "*/10 * * * *").await.ok();
    world.sleep(minutes(35));

    let world = world.restarted().await;
    world.settle().await;

    let ana = ana.at(&world.plane);
    assert_eq!(ana.ticks("p").await, ["missed(caught_up)", "missed(caught_up)", "ran"]);
    assert_eq!(ana.runs("p").await[0]["tick"], "2026-03-02T10:30:00Z");
}

#[tokio::test]
async fn ticks_later_than_the_window_are_missed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let body = json!({"pipeline": pipeline("p"), "schedule": "0 * * * *", "catchUpSeconds": 1800});
    ana.post("/v1/deployments", body).await.ok();
    world.sleep(minutes(3 * 60 + 15));

    let world = world.restarted().await;
    world.settle().await;

    let ana = ana.at(&world.plane);
    assert_eq!(ana.ticks("p").await, ["missed(too_late)", "missed(too_late)", "ran"]);
}

#[tokio::test]
async fn without_a_window_a_late_tick_is_missed_and_one_on_time_runs() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let body = json!({"pipeline": pipeline("p"), "schedule": "*/5 * * * *", "catchUpSeconds": 0});
    ana.post("/v1/deployments", body).await.ok();
    world.sleep(minutes(7));

    let world = world.restarted().await;
    world.settle().await;
    world.advance(minutes(5)).await;

    assert_eq!(ana.at(&world.plane).ticks("p").await, ["missed(too_late)", "ran"]);
}

#[tokio::test]
async fn a_month_of_downtime_is_one_row_and_every_tick_of_it_is_listed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.sleep(minutes(30 * 24 * 60));

    let world = world.restarted().await;
    let before = world.faults.calls().len();
    world.settle().await;
    assert!(world.faults.calls().len() - before < 30, "catching up costs a few calls, not one per tick");

    let ana = ana.at(&world.plane);
    let mut seen = 0;
    let mut path = "/v1/deployments/p/ticks?limit=100".to_owned();
    let mut last = String::from("9999");
    while seen < 1000 {
        let page = ana.get(&path).await.ok();
        for tick in page["items"].as_array().unwrap() {
            let at = tick["at"].as_str().unwrap().to_owned();
            assert!(at < last, "newest first and none twice");
            last = at;
            seen += 1;
        }
        path = format!("/v1/deployments/p/ticks?limit=100&cursor={}", page["next"].as_str().unwrap());
    }
}

#[tokio::test]
async fn a_clock_that_jumps_loses_no_tick_and_doubles_none() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.advance(minutes(5)).await;

    world.clock.set(world.now() - jiff::SignedDuration::from_mins(5));
    world.advance(minutes(10)).await;

    let list = ana.get("/v1/deployments/p/ticks").await.ok();
    let at: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|tick| tick["at"].as_str().unwrap()[14..16].to_owned())
        .collect();
    assert_eq!(at, ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10"]);
}

#[tokio::test]
async fn a_schedule_of_a_time_zone_ticks_by_its_clock_also_after_a_restart() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let body = json!({"pipeline": pipeline("p"), "schedule": "30 12 * * *", "timezone": "Europe/Berlin"});
    ana.post("/v1/deployments", body).await.ok();

    let world = world.restarted().await;
    let ana = ana.at(&world.plane);
    let listed = ana.get("/v1/deployments").await.ok()["items"][0].clone();
    world.advance(minutes(120)).await;

    assert_eq!((&listed["timezone"], &listed["schedule"]), (&json!("Europe/Berlin"), &json!("30 12 * * *")));
    assert_eq!(listed["next"][0], "2026-03-02T11:30:00Z");
    assert_eq!(ana.runs("p").await[0]["tick"], "2026-03-02T11:30:00Z");
    assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["healthy"], true);
}
