"""Owners: what is one's is not found by the other."""

import json

from .api import deployment
from .pipelines import on_timer

PROJECT = "orders"


def step_another_owners_project_is_not_found_by_any_operation(stack, users):
    bob, path = users["bob"], deployment(PROJECT)
    asked = {
        "get": bob.get(path),
        "update": bob.patch(path, {"schedule": "@daily"}),
        "pause": bob.post(f"{path}/pause", {}),
        "resume": bob.post(f"{path}/resume"),
        "remove": bob.delete(path),
        "run": bob.post(f"{path}/runs", {}),
        "ticks": bob.get(f"{path}/ticks"),
        "why": bob.get(f"{path}/why", time="2026-01-01T00:00:00Z"),
        "versions": bob.get(f"{path}/versions"),
        "version": bob.get(f"{path}/versions/1"),
    }
    for what, answer in asked.items():
        assert answer.status == 404 and answer.body["code"] == "not_found", f"{what}: {answer.status} {answer.body}"
    return f"{len(asked)} operations"


def step_another_owners_run_is_not_found(stack, users):
    run = users["ana"].get("/v1/runs", project=PROJECT).ok()["items"][0]["id"]
    for answer in (
        users["bob"].get(f"/v1/runs/{run}"),
        users["bob"].get(f"/v1/runs/{run}/logs"),
        users["bob"].post(f"/v1/runs/{run}/cancel"),
        users["bob"].get(f"/v1/runs/{run}", project=PROJECT),
    ):
        assert answer.refused(404) == "not_found"


def step_lists_hold_ones_own_alone(stack, users):
    mine = users["bob"].get("/v1/runs").ok()["items"]
    assert {run["project"] for run in mine} == {"secretive"}, mine
    assert [item["project"] for item in users["bob"].get("/v1/deployments").ok()["items"]] == ["secretive"]


def step_the_same_name_is_another_project(stack, users):
    before = users["ana"].get(deployment(PROJECT)).ok()
    users["bob"].deploy(on_timer(PROJECT, "bob's"), "@daily").ok()
    users["bob"].delete(deployment(PROJECT)).ok()
    assert users["ana"].get(deployment(PROJECT)).ok() == before
    inputs = [json.loads(schedule["Target"]["Input"]) for schedule in stack.schedules_of(PROJECT)]
    assert [one["owner"] for one in inputs] == [stack.owner("ana")], inputs
