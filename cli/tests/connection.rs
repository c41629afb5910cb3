//! Which plane and which key, and what happens where there is none.

use crate::command::{tidemill, tidemill_in};
use crate::given::{Plane, start};

/// Nothing listens on this port: it is reserved, and below those that a test may take.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn a_plane_that_cannot_be_reached_exits_with_6_and_says_what_to_do() {
    let ended = tidemill(&["list", "--url", NOWHERE, "--key", "tm_local_x"]);

    assert_eq!(ended.code, 6);
    assert!(ended.stderr.starts_with("error: the plane at `http://127.0.0.1:1` does not answer"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: start one with `tidemill dev`"), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
}

#[test]
fn with_json_an_error_is_an_object_on_standard_error() {
    let ended = tidemill(&["status", "orders", "--json", "--url", NOWHERE, "--key", "tm_local_x"]);

    assert_eq!((ended.code, ended.stdout.as_str()), (6, ""));
    assert_eq!(ended.error_json()["code"], "unreachable");
}

#[test]
fn without_a_key_it_exits_with_4_and_says_where_keys_come_from() {
    let ended = tidemill(&["list"]);

    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains("tidemill dev") && ended.stderr.contains("TIDEMILL_KEY"), "{}", ended.stderr);
}

#[test]
fn the_key_of_a_data_folder_is_for_planes_on_this_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("plane")).unwrap();
    std::fs::write(folder.path().join("plane/key"), "tm_local_x\n").unwrap();

    let here = tidemill_in(folder.path(), &["list", "--data", "plane", "--url", NOWHERE], "");
    let elsewhere = tidemill_in(folder.path(), &["list", "--data", "plane", "--url", "https://plane.example"], "");

    assert_eq!((here.code, elsewhere.code), (6, 4), "{}", elsewhere.stderr);
}

#[test]
fn a_url_that_is_none_is_refused() {
    for url in ["plane", "plane.example:80/v1", "ftp://plane.example", "http://", "http://127.0.0.1:1/?a=b"] {
        let ended = tidemill(&["list", "--url", url, "--key", "tm_local_x"]);
        assert_eq!(ended.code, 2, "{url}: {}", ended.stderr);
    }
}

#[test]
fn a_host_without_a_scheme_is_refused_with_the_url_to_write() {
    let ended = tidemill(&["list", "--url", "plane.example/v1", "--key", "tm_local_x"]);

    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("hint: give e.g. `--url https://plane.example/v1`"), "{}", ended.stderr);
}

#[test]
fn a_plane_of_this_machine_needs_no_scheme_and_takes_the_path_of_its_api() {
    let plane = Plane::new();
    let host = plane.url.strip_prefix("http://").unwrap();
    let port = host.rsplit_once(':').unwrap().1;

    let urls = [host.to_owned(), format!("localhost:{port}"), format!("{}/v1", plane.url), format!("{host}/v1/")];
    for url in urls {
        let ended = plane.tidemill_at(&url, &["list"]);
        assert_eq!(ended.code, 0, "{url}: {}", ended.stderr);
    }
}

#[test]
fn https_to_a_plane_without_tls_shows_the_url_to_write() {
    let plane = Plane::new();
    let host = plane.url.strip_prefix("http://").unwrap();

    let ended = plane.tidemill_at(&format!("https://{host}"), &["list"]);

    assert_eq!(ended.code, 6);
    assert!(ended.stderr.contains(&format!("write `--url http://{host}`")), "{}", ended.stderr);
}

#[test]
fn a_plane_listens_on_a_port_of_this_machine() {
    for listen in ["0", ":0", "localhost:0"] {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, url) = start(folder.path(), std::path::Path::new("/dev/null"), listen);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{listen}: {url}");
    }

    let refused = tidemill(&["dev", "--listen", "plane"]);

    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("write e.g. `5612`"), "{}", refused.stderr);
}

#[test]
fn a_project_that_no_url_can_name_is_refused() {
    let ended = tidemill(&["status", "..", "--url", NOWHERE, "--key", "tm_local_x"]);

    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("cannot be named in a URL"), "{}", ended.stderr);
}

#[test]
fn a_group_that_no_url_can_name_is_refused_as_a_group() {
    let ended = tidemill(&["groups", "..", "--url", NOWHERE, "--key", "tm_local_x"]);

    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("hint: give the group another name"), "{}", ended.stderr);
}

#[test]
fn a_name_that_is_none_is_refused_with_what_names_are_made_of() {
    let to_nowhere = |arguments: &[&str]| tidemill(&[arguments, &["--url", NOWHERE, "--key", "tm_local_x"]].concat());

    let secret = to_nowhere(&["secrets", "set", "a b", "--value", "x"]);
    let key = to_nowhere(&["keys", "revoke", "nope"]);

    assert_eq!((secret.code, key.code), (2, 2), "{}{}", secret.stderr, key.stderr);
    assert!(secret.stderr.contains("hint: use letters, digits and `_`"), "{}", secret.stderr);
    assert!(key.stderr.contains("hint: ids have 26 characters"), "{}", key.stderr);
}
