//! Versions and environments in the words of RocketRide's newer clients: what they may ask for, and what they are told
//! when they may not.

use crate::given_environments::{ana, versions};
use serde_json::{Value, json};
use tidemill_testing::Dap;

/// The versions of `p` that a list shows: their numbers, and the page.
async fn listed(dap: &mut Dap, more: Value) -> Value {
    let mut asked = json!({"subcommand": "versions", "projectId": "p"});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let page = dap.ask("rrext_deploy", asked).await.ok();
    let numbers: Vec<_> = page["rows"].as_array().unwrap().iter().map(|row| row["version"].clone()).collect();
    json!([numbers, page["page"], page["pageSize"]])
}

#[tokio::test]
async fn a_text_filters_by_what_it_is_part_of_and_numbers_may_be_texts() {
    let (_world, _ana, mut dap) = ana().await;
    versions(&mut dap, 12).await;

    for (filters, wanted) in [
        (json!({"pipelineName": "V1"}), json!([12, 11, 10, 1])),
        (json!({"pipelineName": ["v1", "v3"]}), json!([3, 1])),
        (json!({"version": 2}), json!([2])),
        (json!({"version": "2"}), json!([2])),
        (json!({"version": ["2", 3]}), json!([3, 2])),
        (json!({"version__gte": "9", "version__lte": "10"}), json!([10, 9])),
        (json!({"pipelineName": "w"}), json!([])),
    ] {
        assert_eq!(listed(&mut dap, json!({"filters": filters})).await[0], wanted, "{filters}");
    }
}

#[tokio::test]
async fn a_page_that_there_is_not_is_the_nearest_that_there_is() {
    let (_world, _ana, mut dap) = ana().await;
    versions(&mut dap, 3).await;

    for (asked, page, size) in [
        (json!({"page": -1, "page_size": 2}), 1, 2),
        (json!({"page": 0, "page_size": -7}), 1, 1),
        (json!({"page_size": 10_000_000_000_u64}), 1, 100),
        (json!({}), 1, 50),
    ] {
        let listed = listed(&mut dap, asked.clone()).await;
        assert_eq!((&listed[1], &listed[2]), (&json!(page), &json!(size)), "{asked}");
        assert_eq!(listed[0][0], 3, "{asked}");
    }
}

