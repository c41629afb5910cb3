"""Ticks: rung through the queue as EventBridge Scheduler rings, once, twice and by two schedules at once."""

import json
from datetime import UTC, datetime, timedelta

from .api import deployment
from .pipelines import on_timer
from .steps import wait_for


def accounted(user, project, count=1):
    """The ledger, once it has so many ticks."""
    return wait_for("the tick has its outcome", lambda: user.ticks(project), lambda ticks: len(ticks) >= count)


def scheduled(user, project):
    return user.get("/v1/runs", project=project, trigger="schedule").ok()["items"]


def step_a_tick_makes_a_run_of_its_minute(stack, users):
    ana = users["ana"]
    due = ana.deploy(on_timer("every-minute", "{{ run.tick }}"), "* * * * *").ok()["next"][0]
    stack.fire("every-minute", due)
    (tick,) = accounted(ana, "every-minute")
    assert (tick["at"], tick["outcome"]) == (due, "ran"), tick
    run = wait_for("the run ends", lambda: ana.run(tick["run"]), lambda run: run["endedAt"])
    assert (run["state"], run["trigger"], run["tick"]) == ("succeeded", "schedule", due), run
    return f"{due}, {run['result']['text'][0].strip()}"


def step_the_same_tick_twice_makes_one_run_and_one_outcome(stack, users):
    ana = users["ana"]
    (before,) = ana.ticks("every-minute")
    # The queue folds this one: it has the same body.
    stack.fire("every-minute", before["at"])
    # SQS may deliver a message twice; then only the table folds it.
    (schedule,) = stack.schedules_of("every-minute")
    body = schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", before["at"])
    group = schedule["Target"]["SqsParameters"]["MessageGroupId"]
    for copy in range(3):
        stack.ring(body, group, f"copy-{copy}-{before['at']}")
    stack.wait_until_empty("TicksQueueUrl")
    due = ana.get(deployment("every-minute")).ok()["next"][0]
    stack.fire("every-minute", due)
    ticks = accounted(ana, "every-minute", 2)
    assert [tick["at"] for tick in ticks] == sorted({tick["at"] for tick in ticks}, reverse=True), ticks
    assert before in ticks and len(scheduled(ana, "every-minute")) == len(ticks), ticks


def step_a_cron_in_two_halves_rings_twice_and_runs_once(stack, users):
    ana = users["ana"]
    today = datetime.now(UTC)
    days = [today, today + timedelta(days=1)]
    # Cron's `or` of day of month and day of week; EventBridge knows only one of them in an expression.
    dates = ",".join(str(number) for number in sorted(day.day for day in days))
    weekdays = ",".join(sorted({"Mon Tue Wed Thu Fri Sat Sun".split()[day.weekday()].lower() for day in days}))
    due = ana.deploy(on_timer("halves"), f"* * {dates} * {weekdays}").ok()["next"][0]
    schedules = stack.schedules_of("halves")
    assert len(schedules) == 2, schedules
    assert len({schedule["Target"]["Input"] for schedule in schedules}) == 1, schedules
    stack.fire("halves", due)
    accounted(ana, "halves")
    stack.wait_until_empty("TicksQueueUrl")
    ticks = ana.ticks("halves")
    assert [(tick["at"], tick["outcome"]) for tick in ticks] == [(due, "ran")], ticks
    assert len(scheduled(ana, "halves")) == 1
    return ", ".join(schedule["ScheduleExpression"] for schedule in schedules)


def step_why_says_what_became_of_a_tick(stack, users):
    tick = users["ana"].ticks("halves")[0]
    return users["ana"].get(f"{deployment('halves')}/why", time=tick["at"]).ok()["explanation"]


def step_a_message_that_is_no_bell_harms_no_other(stack, users):
    ana = users["ana"]
    stack.ring("not a bell", "unknown", "not-a-bell")
    stack.ring(json.dumps({"bell": "tick", "owner": "unknown", "project": "nothing"}), "unknown-2", "unknown-bell")
    due = ana.get(deployment("halves")).ok()["next"][0]
    stack.fire("halves", due)
    accounted(ana, "halves", 2)


def step_ticks_that_rang_too_far_ahead_are_not_taken(stack, users):
    ana = users["ana"]
    ana.deploy(on_timer("yearly"), "0 0 1 1 *").ok()
    due = ana.get(deployment("yearly")).ok()["next"][0]
    stack.fire("yearly", due)
    stack.wait_until_empty("TicksQueueUrl")
    assert ana.ticks("yearly") == []


def step_the_clock_rings_by_itself_within_the_minute(stack, users):
    ana = users["ana"]
    started = datetime.now(UTC)
    ana.deploy(on_timer("by-itself"), "* * * * *").ok()
    runs = wait_for("a tick comes by itself", lambda: scheduled(ana, "by-itself"), lambda runs: runs, seconds=100)
    return f"{runs[-1]['tick']}, after {(datetime.now(UTC) - started).seconds} s"


def step_the_sweep_finds_nothing_to_mend_and_does_not_fail(stack, users):
    answer, failed = stack.invoke("plane_sweep", {})
    assert not failed, answer
