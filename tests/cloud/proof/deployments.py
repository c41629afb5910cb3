"""Deployments: add, list, get, update, pause, resume, remove."""

from .api import deployment
from .pipelines import on_timer, with_three_problems


def step_a_pipeline_is_added_with_its_schedule(stack, users):
    ana = users["ana"]
    added = ana.deploy(on_timer("orders"), "7 3 * * mon-fri", timezone="Europe/Berlin").ok()
    assert (added["state"], added["version"]) == ("active", 1), added
    (schedule,) = stack.schedules_of("orders")
    assert schedule["State"] == "ENABLED" and schedule["ScheduleExpressionTimezone"] == "Europe/Berlin", schedule
    return schedule["ScheduleExpression"]
