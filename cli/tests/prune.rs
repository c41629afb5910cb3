//! `tidemill deploy --prune`: what has gone from a folder is removed, and only on purpose.

use crate::given::Plane;

#[test]
fn a_prune_names_what_it_removes_before_it_does() {
    let plane = Plane::new();
    plane.folder("etl", &["a", "b"], "x");
    plane.tidemill(&["deploy", "etl"]);
    plane.folder("etl", &["a"], "x");

    let pruned = plane.tidemill(&["deploy", "etl", "--prune"]);

    assert_eq!(pruned.code, 0, "{}", pruned.stderr);
    let (before, after) = pruned.stderr.split_once("rollout `").expect("the rollout is shown");
    assert!(before.ends_with("removing `b` of the group `etl`\n") && !after.contains("removing"), "{}", pruned.stderr);
    assert_eq!(plane.deployed(), ["a"]);
}

#[test]
fn a_folder_does_not_prune_a_group_that_has_nothing_of_it_without_a_yes() {
    let plane = Plane::new();
    for (folder, project) in [("t1", "t1a"), ("t2", "t2a")] {
        std::fs::create_dir(plane.folder.path().join(folder)).unwrap();
        plane.folder(&format!("{folder}/etl"), &[project], "x");
    }
    plane.tidemill(&["deploy", "t1/etl"]);

    let refused = plane.tidemill(&["deploy", "t2/etl", "--prune"]);
    let left = plane.deployed();
    let agreed = plane.tidemill(&["deploy", "t2/etl", "--prune", "--yes"]);

    assert_eq!((refused.code, left), (5, vec!["t1a".to_owned()]), "{}", refused.stderr);
    assert!(refused.stderr.contains("nothing of the folder is in the group `etl` yet"), "{}", refused.stderr);
    assert!(refused.stderr.contains("`t1a`") && refused.stderr.contains("--group"), "{}", refused.stderr);
    assert_eq!((agreed.code, plane.deployed()), (0, vec!["t2a".to_owned()]), "{}", agreed.stderr);
}
