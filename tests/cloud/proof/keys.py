"""Keys: the first one comes by AWS credentials alone."""

from .api import User


def step_the_first_key_is_issued_by_invoking_a_function(stack, users):
    made, failed = stack.invoke("key_issue", {"owner": stack.owner("ana"), "name": "first"})
    assert not failed, made
    assert made["key"].startswith("tm_live_") and "admin" in made["scopes"], made
    users["ana"] = User(stack, made["key"])
    listed = users["ana"].get("/v1/keys").ok()["items"]
    assert [key["name"] for key in listed] == ["first"], listed


def step_bad_input_of_key_issue_is_refused_and_changes_nothing(stack, users):
    ana = stack.owner("ana")
    for payload in ({}, {"owner": "a#b"}, {"owner": ana, "scopes": ["task.fly"]}, {"owner": ana, "nmae": "x"}, []):
        answer, failed = stack.invoke("key_issue", payload)
        assert failed and answer["errorType"] == "invalid_argument" and "hint: " in answer["errorMessage"], answer
    assert len(users["ana"].get("/v1/keys").ok()["items"]) == 1


def step_another_owner_gets_a_key_with_some_scopes(stack, users):
    made, failed = stack.invoke("key_issue", {"owner": stack.owner("bob"), "scopes": ["task.control", "task.monitor"]})
    assert not failed, made
    users["bob"] = User(stack, made["key"])
    assert users["bob"].get("/v1/keys").refused(403) == "permission_denied"


def step_without_a_key_nothing_is_answered(stack, users):
    key = users["ana"].key
    mistyped = key[:-1] + ("1" if key.endswith("0") else "0")
    for key in (None, "tm_live_x", mistyped):
        answer = User(stack, key).get("/v1/deployments")
        assert answer.refused(401) == "unauthenticated"
        assert answer.headers["www-authenticate"] == "Bearer"


def step_a_revoked_key_is_refused_at_once(stack, users):
    ana = users["ana"]
    made = ana.post("/v1/keys", {"name": "short"}).ok()
    short = User(stack, made["key"])
    short.get("/v1/deployments").ok()
    ana.delete(f"/v1/keys/{made['id']}").ok()
    assert short.get("/v1/deployments").refused(401) == "unauthenticated"


def step_the_plane_says_that_it_is_well(stack, users):
    return User(stack).get("/v1/health").ok()["status"]
