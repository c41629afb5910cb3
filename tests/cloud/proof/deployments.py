"""Deployments: add, list, get, update, pause, resume, remove; the schedules follow."""

import random

from .api import deployment
from .pipelines import on_timer, with_three_problems


def step_a_pipeline_is_added_and_gets_its_schedule(stack, users):
    added = users["ana"].deploy(on_timer("orders"), "7 3 * * mon-fri", timezone="Europe/Berlin").ok()
    assert (added["state"], added["version"]) == ("active", 1), added
    (schedule,) = stack.schedules_of("orders")
    assert schedule["State"] == "ENABLED" and schedule["ScheduleExpressionTimezone"] == "Europe/Berlin", schedule
    return schedule["ScheduleExpression"]


def step_a_project_is_added_once(stack, users):
    assert users["ana"].deploy(on_timer("orders")).refused(409) == "already_exists"


def step_a_repeated_request_is_answered_as_the_first(stack, users):
    body = {"pipeline": on_timer("repeated"), "schedule": "manual"}
    key = {"Idempotency-Key": "one"}
    first, second = (users["ana"].send("POST", "/v1/deployments", body, headers=dict(key)) for _ in range(2))
    assert first.ok() == second.ok(), (first.body, second.body)


def step_a_bad_pipeline_is_refused_with_all_its_problems(stack, users):
    refused = users["ana"].deploy(with_three_problems("bad"))
    assert refused.refused(400) == "invalid_argument"
    components = {detail.get("component") for detail in refused.body["details"]}
    assert {"a", "b", "c"} <= components, refused.body
    assert all(detail["hint"] for detail in refused.body["details"]), refused.body
    assert users["ana"].get(deployment("bad")).refused(404) == "not_found"
    return refused.body["message"]


def step_a_bad_schedule_is_refused_and_reaches_no_scheduler(stack, users):
    refused = users["ana"].deploy(on_timer("bad"), "*/5 * * *")
    assert refused.refused(400) == "invalid_argument"
    assert not stack.schedules_of("bad")
    return refused.body["message"]


def step_a_pipeline_of_a_megabyte_comes_back_to_the_byte(stack, users):
    noise = random.Random(1).randbytes(500_000).hex()
    pipeline = on_timer("large", template=noise)
    users["ana"].deploy(pipeline).ok()
    assert users["ana"].get(deployment("large")).ok()["pipeline"] == pipeline


def step_it_is_listed_and_shown(stack, users):
    listed = users["ana"].get("/v1/deployments", limit=2).ok()
    rest = users["ana"].get("/v1/deployments", cursor=listed["next"]).ok()
    names = [item["project"] for item in listed["items"] + rest["items"]]
    assert names == ["large", "orders", "repeated"], names
    shown = users["ana"].get(deployment("orders")).ok()
    assert shown["pipeline"] == on_timer("orders") and len(shown["next"]) == 5, shown


def step_an_update_makes_a_version_and_moves_the_schedule(stack, users):
    change = {"pipeline": on_timer("orders", "second"), "schedule": "*/10 * * * *", "timezone": "UTC", "revision": 1}
    updated = users["ana"].patch(deployment("orders"), change).ok()
    assert updated["version"] == 2, updated
    (schedule,) = stack.schedules_of("orders")
    assert schedule["ScheduleExpressionTimezone"] == "UTC", schedule
    versions = users["ana"].get(f"{deployment('orders')}/versions").ok()["items"]
    assert [version["version"] for version in versions] == [2, 1], versions
    return schedule["ScheduleExpression"]


def step_an_update_of_an_old_revision_is_refused(stack, users):
    refused = users["ana"].patch(deployment("orders"), {"schedule": "@daily", "revision": 1})
    assert refused.refused(409) == "conflict"


def step_a_pause_stops_the_schedule_and_a_tick_makes_no_run(stack, users):
    next_tick = users["ana"].get(deployment("orders")).ok()["next"][0]
    paused = users["ana"].post(f"{deployment('orders')}/pause", {"note": "moving"}).ok()
    assert (paused["state"], paused["note"], paused["next"]) == ("paused", "moving", []), paused
    assert [s["State"] for s in stack.schedules_of("orders")] == ["DISABLED"]
    # One that was on its way when the pause came. It may ring early, so it is answered before the resume.
    stack.fire("orders", next_tick)
    stack.wait_until_empty("TicksQueueUrl")


def step_a_resume_starts_the_schedule_again(stack, users):
    resumed = users["ana"].post(f"{deployment('orders')}/resume").ok()
    assert resumed["state"] == "active" and resumed["next"], resumed
    assert [s["State"] for s in stack.schedules_of("orders")] == ["ENABLED"]
    assert users["ana"].get("/v1/runs", project="orders").ok()["items"] == []


def step_a_removed_project_leaves_no_schedule(stack, users):
    users["ana"].deploy(on_timer("gone"), "* * * * *").ok()
    users["ana"].delete(deployment("gone")).ok()
    assert users["ana"].get(deployment("gone")).refused(404) == "not_found"
    assert not stack.schedules_of("gone")


def step_a_project_that_comes_back_goes_on_counting_versions(stack, users):
    assert users["ana"].deploy(on_timer("gone", "again")).ok()["version"] == 2
    users["ana"].delete(deployment("gone")).ok()
