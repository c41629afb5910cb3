//! A field of an answer is always there: `null` or `[]` where it has no value, unless the description says that it is left
//! out. Every answer that any test gets is held against that; here are the description's own, and what it is good for.

use crate::given::{echo, ran};
use http::Method;
use serde_json::{Value, json};
use tidemill_testing::{Description, TestPlane};

#[test]
fn the_description_says_of_every_field_whether_it_is_always_there() {
    let description = Description::of_this_repository();
    let undecided: Vec<String> = description
        .successes()
        .flat_map(|success| {
            let fields = description.undecided(success.schema).into_iter();
            fields.map(move |field| format!("{}{field}", success.operation)).collect::<Vec<_>>()
        })
        .collect();

    assert_eq!(undecided, Vec::<String>::new());
    assert!(description.successes().count() > 40);
}

#[test]
fn the_examples_have_every_field() {
    let description = Description::of_this_repository();
    let mut examples = 0;
    for success in description.successes() {
        for example in success.examples {
            examples += 1;
            assert_eq!(description.lacking(success.schema, example), Vec::<String>::new(), "{}", success.operation);
        }
    }
    assert!(examples > 40, "{examples}");
}

#[tokio::test]
async fn an_answer_that_lacks_a_field_is_found_and_one_with_nulls_lacks_none() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(echo("p"), "manual").await.ok();
    let description = Description::of_this_repository();
    let (get, path) = (Method::GET, "/v1/deployments/p?x=y");

    let mut answer = ana.get("/v1/deployments/p").await.ok();
    assert_eq!(description.lacks(&get, path, &answer), Vec::<String>::new());
    answer.as_object_mut().unwrap().remove("note");

    assert_eq!(description.lacks(&get, path, &answer), [".note"]);
    let list = json!({"items": [answer], "next": null});
    assert_eq!(description.lacks(&get, "/v1/deployments", &list), [".items.note"]);
}

#[tokio::test]
async fn what_has_no_value_is_null_and_what_a_list_does_not_show_is_left_out() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let added = ana.deploy(echo("p"), "manual").await.ok();
    let before = ana.get("/v1/deployments/p").await.ok();
    for (field, value) in
        [("note", Value::Null), ("error", Value::Null), ("group", Value::Null), ("warnings", json!([]))]
    {
        assert_eq!(added.get(field), Some(&value), "{field}");
        assert_eq!(before.get(field), Some(&value), "{field}");
    }
    assert_eq!((added.get("lastRun"), before.get("lastRun")), (None, Some(&Value::Null)));
    assert!(added.get("pipeline").is_none() && before["pipeline"].is_object());
    let hook = added["hook"].as_str().unwrap();
    assert!(hook.starts_with("/hooks/"), "{hook}");

    let run = ran(&world, &ana, "p").await;
    assert_eq!(
        (run.get("environment"), run.get("source"), run.get("tick")),
        (Some(&Value::Null), Some(&Value::Null), Some(&Value::Null))
    );
    assert!(run["components"].is_array() && run.get("result").is_some());
    let list = ana.get("/v1/runs").await.ok();
    assert!(list["items"][0].get("components").is_none() && list["items"][0].get("result").is_none());
    let version = ana.get("/v1/deployments/p/versions").await.ok()["items"][0].clone();
    assert_eq!(
        (version.get("note"), version.get("rollout"), version.get("git")),
        (Some(&Value::Null), Some(&Value::Null), Some(&Value::Null))
    );
}
