//! Previewing a schedule.

use serde_json::json;
use tidemill_testing::TestPlane;

#[tokio::test]
async fn a_preview_shows_when_a_schedule_is_due_next() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let daily = ana.get("/v1/schedule?schedule=0+9+*+*+*&count=2").await.ok();
    let in_zone = ana.get("/v1/schedule?schedule=0+9+*+*+*&count=1&timezone=Asia/Tokyo").await.ok();

    assert_eq!(
        daily,
        json!({"valid": true, "next": ["2026-03-03T09:00:00Z", "2026-03-04T09:00:00Z"], "error": null, "hint": null})
    );
    assert_eq!(in_zone["next"], json!(["2026-03-03T00:00:00Z"]));
}

#[tokio::test]
async fn five_instants_are_shown_and_fifty_at_most() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let shown = async |query: &str| {
        let preview = ana.get(&format!("/v1/schedule?schedule=@hourly{query}")).await.ok();
        preview["next"].as_array().unwrap().len()
    };

    assert_eq!((shown("").await, shown("&count=0").await, shown("&count=1000").await), (5, 0, 50));
    assert_eq!(
        ana.get("/v1/schedule?schedule=manual").await.ok(),
        json!({"valid": true, "next": [], "error": null, "hint": null})
    );
}

#[tokio::test]
async fn a_schedule_that_cannot_be_read_is_an_answer() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    for query in ["schedule=61+*+*+*+*", "schedule=@daily&timezone=Nowhere", "schedule="] {
        let preview = ana.get(&format!("/v1/schedule?{query}")).await.ok();
        assert_eq!((&preview["valid"], &preview["next"]), (&json!(false), &json!([])), "{query}");
        assert!(preview["error"].is_string() && preview["hint"].is_string(), "{preview}");
    }
    for query in ["", "schedule=@daily&count=-1", "schedule=@daily&other=1"] {
        assert_eq!(ana.get(&format!("/v1/schedule?{query}")).await.refused(400), "invalid_argument", "{query}");
    }
}
