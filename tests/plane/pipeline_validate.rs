//! Checking a pipeline without deploying it.

use crate::given::{chain, echo};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, pipeline};

async fn validate(user: &User, body: Value) -> Value {
    user.post("/v1/validate", body).await.ok()
}

#[tokio::test]
async fn a_valid_pipeline_shows_the_order_of_its_components_and_is_not_deployed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let template = ("template", json!({"template": "x"}), "text");
    let mut shuffled =
        chain("p", &[("timer", json!({}), "documents"), template, ("response", json!({"lanes": []}), "")]);
    shuffled["components"].as_array_mut().unwrap().reverse();

    let checked = validate(&ana, json!({"pipeline": shuffled, "schedule": "* * * * *"})).await;

    assert_eq!((&checked["valid"], &checked["errors"]), (&json!(true), &json!([])));
    assert_eq!(checked["warnings"], json!([]));
    assert_eq!(checked["order"], json!(["timer_1", "template_1", "response_1"]));
    assert_eq!(ana.get("/v1/deployments/p").await.refused(404), "not_found");
}

#[tokio::test]
async fn a_source_that_waits_is_warned_of_on_a_schedule_only() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let scheduled = validate(&ana, json!({"pipeline": echo("p"), "schedule": "@hourly"})).await;
    let manual = validate(&ana, json!({"pipeline": echo("p")})).await;

    assert_eq!(scheduled["valid"], true);
    assert_eq!(scheduled["warnings"][0]["component"], "webhook_1");
    assert!(scheduled["warnings"][0]["message"].as_str().unwrap().contains("waits for a caller"));
    assert!(scheduled["warnings"][0]["hint"].is_string());
    assert_eq!(manual["warnings"], json!([]));
}

#[tokio::test]
async fn a_component_that_nothing_reaches_is_warned_of_and_left_out() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut pipeline = pipeline("p");
    let lonely = json!({"id": "lonely", "provider": "template", "config": {"template": "x"}});
    pipeline["components"].as_array_mut().unwrap().push(lonely);

    let checked = validate(&ana, json!({"pipeline": pipeline})).await;

    let reported = [checked["warnings"].to_string(), checked["errors"].to_string()].concat();
    assert!(reported.contains("lonely"), "{checked}");
    assert!(!checked["order"].to_string().contains("lonely"), "{checked}");
}

#[tokio::test]
async fn all_problems_are_reported_at_once_the_schedule_included() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let wrong = json!({
        "project_id": "p",
        "source": "a",
        "components": [
            {"id": "a", "provider": "tmer", "config": {"mode": "Source"}},
            {"id": "b", "provider": "template", "config": {"template": 7}, "input": [{"lane": "text", "from": "a"}]},
            {"id": "b", "provider": "response", "config": {}, "input": [{"lane": "texte", "from": "missing"}]},
        ],
    });

    let checked = validate(&ana, json!({"pipeline": wrong, "schedule": "61 * * * *", "timezone": "Mars/Base"})).await;

    assert_eq!((&checked["valid"], &checked["order"]), (&json!(false), &json!([])));
    let errors = checked["errors"].to_string();
    for named in ["`timer`", "missing", "texte", "template", "Mars/Base"] {
        assert!(errors.contains(named), "{named}: {errors}");
    }
    let all = checked["errors"].as_array().unwrap();
    assert!(all.iter().all(|error| error["message"].is_string() && error["hint"].is_string()), "{errors}");
}

#[tokio::test]
async fn a_cycle_is_named() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut pipeline = chain(
        "p",
        &[
            ("timer", json!({}), "text"),
            ("template", json!({"template": "x"}), "text"),
            ("filter", json!({"where": "true"}), "text"),
            ("response", json!({"lanes": []}), ""),
        ],
    );
    let back = json!({"lane": "text", "from": "filter_1"});
    pipeline["components"][1]["input"].as_array_mut().unwrap().push(back);

    let checked = validate(&ana, json!({"pipeline": pipeline})).await;

    let errors = checked["errors"].to_string();
    assert!(errors.contains("template_1") && errors.contains("filter_1") && errors.contains("cycle"), "{errors}");
}

#[tokio::test]
async fn what_is_valid_here_is_taken_by_a_deployment_and_what_is_not_is_refused_for_the_same_reason() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut wrong = pipeline("q");
    wrong["components"][1]["input"][0]["from"] = "missing".into();

    assert_eq!(validate(&ana, json!({"pipeline": pipeline("p")})).await["valid"], true);
    ana.deploy(pipeline("p"), "manual").await.ok();
    let checked = validate(&ana, json!({"pipeline": wrong})).await;
    let refused = ana.deploy(wrong, "manual").await;
    assert_eq!(checked["errors"], refused.body["details"]);
}

#[tokio::test]
async fn a_file_outside_of_the_readable_folders_is_refused_before_a_deploy() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let outside = chain("p", &[("file_source", json!({"path": "/etc/hosts"}), "text"), ("log", json!({}), "")]);
    let folder = world.folder().canonicalize().unwrap();
    let below = folder.join("not/there/yet.txt");
    let inside = chain("p", &[("file_source", json!({"path": below}), "text"), ("log", json!({}), "")]);

    let checked = validate(&ana, json!({"pipeline": outside})).await;
    let added = ana.post("/v1/deployments", json!({"pipeline": outside})).await;
    validate(&ana, json!({"pipeline": inside})).await["valid"].as_bool().filter(|valid| *valid).unwrap();
    ana.post("/v1/deployments", json!({"pipeline": inside})).await.ok();
    let updated = ana.patch("/v1/deployments/p", json!({"pipeline": outside})).await;

    let error = &checked["errors"][0];
    let message = "component `file_source_1` has a `config.path` that is outside of the readable folders";
    let hint = format!(
        "files below `{}` are readable; allow another folder by `tidemill dev --allow-files DIR`",
        folder.display()
    );
    assert_eq!((&error["message"], &error["hint"]), (&json!(message), &json!(hint)));
    assert_eq!((&error["component"], &error["field"]), (&json!("file_source_1"), &json!("/components/0/config/path")));
    assert_eq!(added.body["details"], json!([error]));
    assert_eq!(updated.body["details"], json!([error]));
    assert_eq!((added.refused(400), updated.refused(400)), ("invalid_argument".into(), "invalid_argument".into()));
}
