//! The catalogue, without a plane.

use crate::command::tidemill;

#[test]
fn every_provider_is_listed_and_shown() {
    let all = tidemill(&["providers", "--json"]).json();

    let items = all["items"].as_array().unwrap();
    assert!(items.len() > 5);
    assert!(all["next"].is_null());
    let table = tidemill(&["providers"]).stdout;
    for item in items {
        let name = item["name"].as_str().unwrap();
        assert!(table.contains(name), "{name}");
        assert!(item["localOnly"].is_boolean(), "{name}");
        let shown = tidemill(&["providers", name]);
        assert_eq!(shown.code, 0);
        assert!(shown.stdout.starts_with(name), "{}", shown.stdout);
    }
}

#[test]
fn an_unknown_provider_exits_with_3_and_names_the_nearest() {
    let ended = tidemill(&["providers", "web_hook"]);

    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("did you mean `webhook`?"), "{}", ended.stderr);
}
