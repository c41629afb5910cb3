"""Removal: what the proof made goes again, by the API and then from the table."""

import json

from .api import deployment
from .steps import wait_for

# What DynamoDB deletes in one request.
BATCH = 25


def step_what_is_deployed_is_removed(stack, users):
    count = 0
    for user in users.values():
        while found := user.get("/v1/deployments", limit=100).ok()["items"]:
            for one in found:
                user.delete(deployment(one["project"], twice=bool(stack.emulator))).ok()
            count += len(found)
    return f"{count} deployments"


def step_no_schedule_is_left(stack, users):
    owned = lambda: [s for s in stack.schedules() if json.loads(s["Target"]["Input"])["owner"].startswith(stack.prefix)]
    wait_for("no schedule is left", owned, lambda left: not left, 120)


def step_nothing_of_it_is_left_in_the_table(stack, users):
    table = stack.outputs["TableName"]
    found = [{"pk": item["pk"], "sk": item["sk"]} for item in stack.items() if stack.prefix in str(item)]
    for begin in range(0, len(found), BATCH):
        wanted = [{"DeleteRequest": {"Key": key}} for key in found[begin : begin + BATCH]]
        while wanted:
            wanted = stack.dynamodb.batch_write_item(RequestItems={table: wanted})["UnprocessedItems"].get(table, [])
    left = [item["pk"] for item in stack.items() if stack.prefix in str(item)]
    assert not left, left
    return f"{len(found)} items"
