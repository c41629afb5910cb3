//! Listing deployments, page by page.

use tidemill_testing::{TestPlane, pipeline};

#[tokio::test]
async fn pages_hold_every_deployment_once_and_no_removed_one() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for number in 0..25 {
        ana.deploy(pipeline(&format!("p{number:02}")), "manual").await.ok();
    }
    for number in [3, 4, 5, 24] {
        ana.delete(&format!("/v1/deployments/p{number:02}")).await.ok();
    }

    let mut seen = Vec::new();
    let mut path = "/v1/deployments?limit=4".to_owned();
    loop {
        let page = ana.get(&path).await.ok();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 4);
        seen.extend(items.iter().map(|item| item["project"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/deployments?limit=4&cursor={next}"),
            None => break,
        }
    }

    let expected: Vec<_> =
        (0..25).filter(|n| ![3, 4, 5, 24].contains(n)).map(|number| format!("p{number:02}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_bad_limit_or_cursor_is_refused_by_name() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("cursor=!", "cursor"),
        ("color=red", "query"),
    ] {
        let answer = ana.get(&format!("/v1/deployments?{query}")).await;
        assert_eq!(answer.body["details"][0]["field"], field, "{query}: {}", answer.body);
        assert_eq!(answer.refused(400), "invalid_argument");
    }
}
