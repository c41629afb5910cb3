//! Ids by their beginning, in any case.

use crate::given::Plane;

#[test]
fn a_rollout_is_found_by_the_beginning_of_its_id_in_any_case() {
    let plane = Plane::new();
    plane.write("orders.pipe", "x");
    let deployed = plane.tidemill(&["deploy", "orders.pipe", "--json"]).json();
    let id = deployed["id"].as_str().unwrap().to_owned();

    for given in [id.to_lowercase(), id[..20].to_owned(), id[..8].to_lowercase(), id[..1].to_owned()] {
        let shown = plane.tidemill(&["rollout", "show", &given, "--jq", ".id"]);
        assert_eq!(shown.stdout.trim(), id, "{given}: {}", shown.stderr);
    }

    plane.write("orders.pipe", "y");
    let second = plane.tidemill(&["deploy", "orders.pipe", "--jq", ".id"]).stdout.trim().to_owned();
    let several = plane.tidemill(&["rollout", "show", "0"]);
    assert_eq!(several.code, 2, "{}", several.stderr);
    assert!(several.stderr.contains("`0` is the beginning of several rollouts: "), "{}", several.stderr);
    assert!(several.stderr.contains(&id) && several.stderr.contains(&second), "{}", several.stderr);
    assert!(several.stderr.contains("hint: give more of the id"), "{}", several.stderr);
    assert_eq!(plane.tidemill(&["rollout", "show", "7ZZZ"]).code, 3);
    assert_eq!(plane.tidemill(&["rollout", "cancel", &second.to_lowercase()]).code, 0);
}

#[test]
fn a_key_is_revoked_by_the_beginning_of_its_id_unless_several_begin_so() {
    let plane = Plane::new();
    let make = |options: &[&str]| {
        let key = plane.tidemill(&[&["keys", "create", "--jq", ".id"], options].concat());
        assert_eq!(key.code, 0, "{}", key.stderr);
        key.stdout.trim().to_owned()
    };
    let (first, second) = (make(&[]), make(&[]));
    let differs = (0..26).find(|at| first[*at..=*at] != second[*at..=*at]).unwrap();
    // The key that the plane made at its start may be of the same moment.
    let all = plane.tidemill(&["keys", "list", "--jq", ".items[].id"]).stdout;
    let is_alone = |length: &usize| all.lines().filter(|id| id.starts_with(&first[..*length])).count() == 1;
    let alone = (1..=26).find(is_alone).unwrap();

    let several = plane.tidemill(&["keys", "revoke", &first[..differs]]);
    assert_eq!(several.code, 2, "{}", several.stderr);
    assert!(several.stderr.contains(&first) && several.stderr.contains(&second), "{}", several.stderr);
    let revoked = plane.tidemill(&["keys", "revoke", &first[..alone].to_lowercase()]);
    assert_eq!(revoked.stdout, format!("key `{first}` is revoked\n"), "{}", revoked.stderr);

    let states = plane.tidemill(&["keys", "list", "--jq", ".items[] | .id + \" \" + .state"]).stdout;
    assert!(states.contains(&format!("{first} revoked")) && states.contains(&format!("{second} live")), "{states}");
    assert_eq!(plane.tidemill(&["keys", "revoke", "7ZZZ"]).code, 3);

    let of_ana = make(&["--owner", "ana"]);
    let revoked = plane.tidemill(&["keys", "revoke", &of_ana[..24].to_lowercase(), "--owner", "ana"]);
    assert_eq!(revoked.stdout, format!("key `{of_ana}` is revoked\n"), "{}", revoked.stderr);
}
