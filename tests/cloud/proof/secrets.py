"""Secrets: sealed by KMS, used by a run, and seen nowhere."""

import json

from .pipelines import on_timer
from .runs import ended

CANARY = "c4nary-value+/=&?"


def step_a_secret_is_set_and_listed_without_its_value(stack, users):
    answer = users["ana"].put("/v1/secrets/TOKEN", {"value": CANARY}).ok()
    listed = users["ana"].get("/v1/secrets").ok()
    assert [secret["name"] for secret in listed["items"]] == ["TOKEN"], listed
    assert CANARY not in json.dumps([answer, listed])


def step_a_run_uses_the_secret_and_its_log_and_result_hide_it(stack, users):
    users["ana"].deploy(on_timer("secretive", "Bearer ${TOKEN} has {{ '${TOKEN}' | length }} characters")).ok()
    started = users["ana"].post("/v1/deployments/secretive/runs", {}).ok()
    run = ended(users["ana"], started["id"])
    logs = users["ana"].get(f"/v1/runs/{run['id']}/logs").ok()
    text = run["result"]["text"][0]
    assert f"has {len(CANARY)} characters" in text, run
    assert CANARY not in json.dumps([run, logs]), (run, logs)
    return text.strip()


def step_the_table_does_not_hold_the_value(stack, users):
    items = list(stack.items())
    assert items and CANARY not in str(items)
    return f"{len(items)} items"


def step_another_owners_run_does_not_get_it(stack, users):
    users["bob"].deploy(on_timer("secretive", "Bearer ${TOKEN}"), maxAttempts=1).ok()
    started = users["bob"].post("/v1/deployments/secretive/runs", {}).ok()
    run = ended(users["bob"], started["id"])
    assert run["state"] == "failed" and "`TOKEN`" in run["error"]["message"], run


def step_a_removed_secret_is_gone(stack, users):
    users["ana"].delete("/v1/secrets/TOKEN").ok()
    assert users["ana"].get("/v1/secrets").ok()["items"] == []
