"""Elsewhere: what no function takes is refused by API Gateway, in the form of the path's clients, with a key and without."""

from .api import User, deployment


def answers(users, method, path):
    """To one with a key, whose header API Gateway would take for a signature of AWS's, and to one without."""
    return [user.send(method, path) for user in (users["ana"], User(users["ana"].stack))]


def step_an_unknown_path_is_not_found(stack, users):
    for path in ("/v1/nothing", "/v1", "/nothing/at/all", "/v1/deployments/orders/nothing"):
        for answer in answers(users, "GET", path):
            assert answer.refused(404) == "not_found" and answer.body["hint"], (path, answer.body)


def step_another_method_is_refused_with_those_that_there_are(stack, users):
    for method, path, allowed in (
        ("PUT", deployment("orders"), {"GET", "PATCH", "DELETE"}),
        ("DELETE", "/v1/runs", {"GET"}),
        ("GET", "/hooks/nothing", {"POST"}),
    ):
        for answer in answers(users, method, path):
            assert answer.refused(405) == "method_not_allowed", (path, answer.body)
            assert set(answer.headers["allow"].split(", ")) == allowed, (path, answer.headers["allow"])


def step_checklys_clients_are_refused_in_their_form(stack, users):
    for method, path, status, error in (
        ("GET", "/next/nothing", 404, "Not Found"),
        ("GET", "/v1/projects", 404, "Not Found"),
        ("GET", "/v1/projects/team/nothing", 404, "Not Found"),
        ("GET", "/v1/checks/nothing", 404, "Not Found"),
        ("PUT", "/v1/projects/team", 405, "Method Not Allowed"),
    ):
        for answer in answers(users, method, path):
            told = (answer.status, answer.body.get("statusCode"), answer.body.get("error"))
            assert told == (status, status, error), (path, answer.status, answer.body)
