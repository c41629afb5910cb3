"""Runs: by hand, to their end."""

from .steps import wait_for


def step_a_run_by_hand_succeeds_with_its_result(stack, users):
    ana = users["ana"]
    started = ana.post("/v1/deployments/orders/runs", {}).ok()
    run = wait_for("the run ends", lambda: ana.run(started["id"]), lambda run: run["endedAt"])
    assert run["state"] == "succeeded", run
    return run["result"]
