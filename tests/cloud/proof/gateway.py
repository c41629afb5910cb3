"""The gateway: RocketRide's own client, through it, on the deployed plane."""

import contextlib
import json
import os
import re
import signal
import subprocess

from .pipelines import on_webhook

CLIENT = ".venv/rocketride-1.3.0/bin/python"
# How long the gateway may take to start or to stop, and the client for all that it does, in seconds.
PATIENCE = 120


def environment(stack):
    """A gateway's variables, from the stack's outputs."""
    return {
        "TIDEMILL_TABLE": stack.outputs["TableName"],
        "TIDEMILL_RUNS_QUEUE": stack.outputs["RunsQueueUrl"],
        "TIDEMILL_ROLLOUTS_QUEUE": stack.outputs["RolloutsQueueUrl"],
        "TIDEMILL_SOCKETS_QUEUE": stack.outputs["SocketsQueueUrl"],
        "TIDEMILL_TICKS_QUEUE": stack.outputs["TicksQueueUrl"],
        "TIDEMILL_TICKS_QUEUE_ARN": stack.arn("TicksQueueUrl"),
        "TIDEMILL_SCHEDULES_DEAD_LETTER_QUEUE_ARN": stack.arn("SchedulesDeadLetterQueueUrl"),
        "TIDEMILL_SCHEDULE_GROUP": stack.outputs["ScheduleGroupName"],
        "TIDEMILL_SCHEDULER_ROLE": stack.outputs["SchedulerRoleArn"],
        "TIDEMILL_KMS_KEY": stack.outputs["KeyArn"],
    }


@contextlib.contextmanager
def gateway(stack):
    """A gateway on a free port; its URL."""
    command = [os.environ["TIDEMILL_BINARY"], "gateway", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(
        command, env={**os.environ, **environment(stack)}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        ready = process.stdout.readline()
        found = re.fullmatch(r"ready (http://\S+)", ready.strip())
        assert found, f"the gateway did not start: {ready!r}"
        yield found[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, "the gateway did not stop cleanly"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def client(url, key, pipeline, *steps, options=None):
    """Lets the client do its steps, and gives what it saw."""
    arguments = json.dumps({"uri": url, "auth": key, "pipeline": pipeline, "steps": steps, "options": options or {}})
    # Without the modules of this folder, some of which are called as some of Python's.
    command = [CLIENT, "-I", "tests/cloud/proof/gateway_client.py"]
    done = subprocess.run(command, input=arguments, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def step_what_is_deployed_through_it_is_a_deployment_of_the_plane(stack, users):
    ana = users["ana"]
    with gateway(stack) as url:
        seen = client(url, ana.key, on_webhook("by-gateway"), "deploy")
    assert seen["deploy"] == {"state": "active", "schedule": "0 6 * * *"}, seen
    assert ana.get("/v1/deployments/by-gateway").ok()["schedule"] == "0 6 * * *"
    assert len(stack.schedules_of("by-gateway")) == 1
    ana.delete("/v1/deployments/by-gateway").ok()


def step_a_task_that_one_gateway_opened_goes_on_through_another(stack, users):
    ana = users["ana"]
    with gateway(stack) as url:
        first = client(url, ana.key, on_webhook("task"), "use", "send")
    with gateway(stack) as url:
        second = client(url, ana.key, {"token": first["use"]}, "send", "terminate", "status")
    assert first["send"] == second["send"] == "Hello", (first, second)
    assert second["status"] == {"state": 6, "completedCount": 2}, second
    runs = ana.get("/v1/runs", project="task").ok()["items"]
    assert [(run["trigger"], run["state"]) for run in runs] == [("task", "cancelled")], runs


def step_a_large_object_goes_through(stack, users):
    with gateway(stack) as url:
        seen = client(url, users["ana"].key, on_webhook("large"), "use", "large", "terminate")
    assert seen["large"] == 5_000_000, seen
    return "5 MB"
