"""Checkly's project deploy: what its command sends and waits for, behind API Gateway."""

import gzip
import json
from urllib.parse import quote

from .pipelines import on_timer
from .steps import wait_for

PROJECT = "team/etl#1"


def path(stack):
    # The emulator decodes paths that API Gateway hands on as they were sent; see `names.path`.
    name = quote(PROJECT, safe="")
    return "/v1/projects/" + (quote(name, safe="") if stack.emulator else name)


def deploy(user, names, template, **query):
    resources = [
        {
            "logicalId": name,
            "type": "check",
            "member": True,
            "payload": {"checkType": "PIPELINE", "pipeline": on_timer(name, template), "schedule": "@hourly"},
        }
        for name in names
    ]
    body = {"project": {"logicalId": PROJECT, "name": "ETL"}, "resources": resources, "repoInfo": None}
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    query = {"dryRun": "false", "scheduleOnDeploy": "true"} | query
    return user.send("POST", "/v1/projects/deploy", gzip.compress(json.dumps(body).encode()), headers, query)


def completed(user, deployment):
    ask = lambda: user.get(f"{path(user.stack)}/deployments/{deployment}/completion", maxWaitSeconds=30)
    return wait_for("the end", ask, lambda answer: answer.status == 200, 120).ok()


def step_a_compressed_deploy_is_followed_to_its_end(stack, users):
    ana = users["ana"]
    begun = deploy(ana, ["etl-1", "etl-2"], "one")
    assert begun.status == 202, (begun.status, begun.body)
    done = completed(ana, begun.body["id"])
    assert (done["status"], done["progress"]) == ("SUCCEEDED", 100), done
    diff = [(entry["logicalId"], entry["type"], entry["action"]) for entry in done["result"]["diff"]]
    assert diff == [("etl-1", "check", "CREATE"), ("etl-2", "check", "CREATE")], diff
    assert done["result"]["project"]["logicalId"] == PROJECT, done
    events = str(ana.get(f"{path(stack)}/deployments/{begun.body['id']}/events").ok())
    assert "event: complete" in events and "SUCCEEDED" in events, events


def step_a_dry_run_changes_nothing_and_a_second_deploy_learns_what_to_wait_for(stack, users):
    ana = users["ana"]
    begun = deploy(ana, [f"etl-{number}" for number in range(1, 1000)], "two").ok()
    trial = deploy(ana, ["etl-1"], "two", dryRun="true")
    assert trial.status == 200 and trial.body["diff"], (trial.status, trial.body)
    second = deploy(ana, ["etl-1"], "three")
    assert second.status == 409, (second.status, second.body)
    assert (second.body["error"], second.body["deploymentId"]) == ("Conflict", begun["id"]), second.body
    cancelled = ana.post(f"{path(stack)}/deployments/{begun['id']}/cancel")
    assert cancelled.status == 200 and cancelled.body["cancelRequestedAt"], cancelled.body
    assert ana.post(f"{path(stack)}/deployments/{begun['id']}/cancel").status == 200
    assert completed(ana, begun["id"])["status"] == "CANCELLED"
    third = completed(ana, deploy(ana, ["etl-1"], "three").ok()["id"])
    assert third["status"] == "SUCCEEDED", third


def step_a_bad_key_is_refused_in_checklys_form(stack, users):
    ana = users["ana"]
    stranger = type(ana)(stack, "tm_live_nothing")
    refused = stranger.get(f"{path(stack)}/deployments/01KAFZ7Q3M8T5V2N9R4C6W1XDE")
    assert (refused.status, refused.body["statusCode"], refused.body["error"]) == (401, 401, "Unauthorized"), refused.body
    account = ana.get("/next/accounts/any").ok()
    assert account["name"], account


def step_the_project_is_destroyed_once(stack, users):
    ana = users["ana"]
    query = {"preserveResources": "false", "dryRun": "false"}
    begun = ana.send("DELETE", path(stack), query=query)
    assert begun.status == 202, (begun.status, begun.body)
    assert completed(ana, begun.body["id"])["status"] == "SUCCEEDED"
    again = ana.send("DELETE", path(stack), query=query)
    assert (again.status, again.body) == (200, {"diff": []}), again.body
