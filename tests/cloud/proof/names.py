"""Names: a project's may hold what a path may not."""

from .api import deployment
from .pipelines import on_timer
from .runs import ended

PROJECT = "a/b c%2Fd?ž"


def path(stack):
    """API Gateway hands a path parameter on as it was sent, `a%2Fb`; the emulator decodes the path first, and finds one
    more part in it. The documentation wins: sent encoded once more, the function is given what AWS would give it.
    <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
    """
    return deployment(PROJECT, twice=bool(stack.emulator))


def step_a_name_with_a_slash_and_a_percent_sign_is_added_shown_and_run(stack, users):
    ana = users["ana"]
    ana.deploy(on_timer(PROJECT)).ok()
    assert ana.get(path(stack)).ok()["project"] == PROJECT
    started = ana.post(f"{path(stack)}/runs", {}).ok()
    run = ended(ana, started["id"])
    assert (run["project"], run["state"]) == (PROJECT, "succeeded"), run


def step_it_is_found_in_lists_by_its_name(stack, users):
    runs = users["ana"].get("/v1/runs", project=PROJECT).ok()["items"]
    assert [run["project"] for run in runs] == [PROJECT], runs


def step_it_is_removed(stack, users):
    users["ana"].delete(path(stack)).ok()
    assert users["ana"].get(path(stack)).refused(404) == "not_found"
