"""In the end: the doctor finds nothing, and nothing was given up."""

import time


def step_the_doctor_finds_nothing(stack, users):
    for owner in ("ana",):
        found = users[owner].post("/v1/doctor").ok()
        assert found["healthy"] and not found["findings"], found
    return f"{found['deployments']} deployments"


def step_no_bell_of_a_run_was_given_up(stack, users):
    counted = stack.sqs.get_queue_attributes(
        QueueUrl=stack.outputs["RunsDeadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert counted["Attributes"]["ApproximateNumberOfMessages"] == "0", counted


def step_a_warm_request_is_quick(stack, users):
    users["ana"].get("/v1/deployments").ok()
    start = time.monotonic()
    for _ in range(20):
        users["ana"].get("/v1/deployments").ok()
    return f"{(time.monotonic() - start) * 1000 / 20:.1f} ms, the emulator's own time included"
