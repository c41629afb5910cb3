//! A clock that was ahead for a while: what was ticked off until then is found, and brought back.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidemill_testing::{TestPlane, User, minutes, pipeline};

const DAY: u64 = 24 * 60;

/// A deployment that is due each hour, on a plane whose clock was a day ahead for a moment.
async fn ahead_for_a_moment() -> (TestPlane, User) {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "0 * * * *").await.ok();
    world.advance(minutes(61)).await;
    let now = world.now();
    world.sleep(minutes(DAY));
    world.settle().await;
    world.set_clock(now);
    (world, ana)
}

/// How often each minute ran.
async fn ran(ana: &User) -> BTreeMap<String, usize> {
    let mut ran = BTreeMap::new();
    let mut path = "/v1/runs?limit=100&project=p".to_owned();
    loop {
        let page = ana.get(&path).await.ok();
        for run in page["items"].as_array().unwrap() {
            *ran.entry(run["tick"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let Some(next) = page["next"].as_str() else { return ran };
        path = format!("/v1/runs?limit=100&project=p&cursor={next}");
    }
}

fn clocks(report: &Value) -> Vec<bool> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == "clock");
    findings.map(|finding| finding["fixed"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn a_clock_that_was_ahead_is_a_finding_and_no_more_once_it_is_fixed() {
    let (world, ana) = ahead_for_a_moment().await;

    let found = ana.post("/v1/doctor", Value::Null).await.ok();
    let swept = tidemill_operations::plane::sweep::run(&world.plane).await.unwrap();
    let fixed = ana.post("/v1/doctor?fix=true", Value::Null).await.ok();
    let after = ana.post("/v1/doctor", Value::Null).await.ok();

    assert_eq!((clocks(&found), &found["healthy"]), (vec![false], &json!(false)), "{found}");
    assert!(
        found["findings"][0]["message"].as_str().unwrap().contains("no minute before 2026-03-03T11:00:00Z"),
        "{found}"
    );
    assert_eq!(swept.ahead_of_clock, 1);
    assert_eq!(clocks(&fixed), [true]);
    assert_eq!(after, json!({"healthy": true, "deployments": 1, "findings": []}));
}

#[tokio::test]
async fn after_a_clock_that_was_ahead_no_minute_runs_twice_and_none_is_lost() {
    let (world, ana) = ahead_for_a_moment().await;
    ana.post("/v1/doctor?fix=true", Value::Null).await.ok();

    world.advance(minutes(DAY + 3 * 60)).await;

    let hours: Vec<String> = (11..24).map(|hour| format!("2026-03-02T{hour:02}:00:00Z")).collect();
    let next: Vec<String> = (0..15).map(|hour| format!("2026-03-03T{hour:02}:00:00Z")).collect();
    let expected: BTreeMap<String, usize> = hours.into_iter().chain(next).map(|at| (at, 1)).collect();
    assert_eq!(ran(&ana).await, expected);
    let found = ana.post("/v1/doctor", Value::Null).await.ok();
    assert_eq!(found["findings"], json!([]), "no tick has two outcomes");
}

#[tokio::test]
async fn minutes_that_ran_ahead_are_passed_over_although_the_plane_was_down_when_they_came() {
    let (world, ana) = ahead_for_a_moment().await;
    ana.post("/v1/doctor?fix=true", Value::Null).await.ok();
    // It comes back two hours after the minute that ran ahead, with all minutes in between due at once.
    world.sleep(minutes(DAY + 2 * 60));

    let world = world.restarted().await;
    world.settle().await;
    world.advance(minutes(60)).await;

    let ana = ana.at(&world.plane);
    let ran = ran(&ana).await;
    assert_eq!(ran.get("2026-03-03T11:00:00Z"), Some(&1), "{ran:?}");
    assert!(ran.values().all(|times| *times == 1), "{ran:?}");
    assert_eq!(ran.last_key_value().unwrap().0, "2026-03-03T14:00:00Z");
    assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]));
}

#[tokio::test]
async fn a_fix_that_dies_anywhere_is_done_by_the_next() {
    for call in 0..40 {
        let (world, ana) = ahead_for_a_moment().await;
        world.faults.die(Some(tidemill_testing::Death::After(call)));
        ana.post("/v1/doctor?fix=true", Value::Null).await;
        let is_through = !world.faults.is_dead();
        world.faults.die(None);
        let world = world.restarted().await;
        let ana = ana.at(&world.plane);

        ana.post("/v1/doctor?fix=true", Value::Null).await.ok();
        world.advance(minutes(2 * 60)).await;

        let ran = ran(&ana).await;
        assert!(
            ran.contains_key("2026-03-02T12:00:00Z") && ran.contains_key("2026-03-02T13:00:00Z"),
            "{call}: {ran:?}"
        );
        assert!(ran.values().all(|times| *times == 1), "{call}: {ran:?}");
        if is_through {
            return;
        }
    }
    panic!("a fix makes too many calls");
}
