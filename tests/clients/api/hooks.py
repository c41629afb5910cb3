"""What schemathesis cannot learn from infra/openapi.yaml: values whose grammar no schema has, and what exists.

It is loaded once, seeds the plane that is tested, and then looks at each request before it is sent. No operation is
left out. Each change of a request has its reason beside it.
"""

import base64
import itertools
import os
import string
import time
from urllib.parse import quote, unquote

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.generation.meta import TestPhase

URL = os.environ["TIDEMILL_URL"]
ADMIN = {"Authorization": f"Bearer {os.environ['TIDEMILL_KEY']}"}

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
PRESETS = ["manual", "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"]


def number(least, most):
    """A value of a cron field: any, one, a list, a range or steps."""
    one = st.integers(least, most).map(str)
    listed = st.lists(one, min_size=1, max_size=4).map(",".join)
    steps = st.integers(1, most).map("*/{}".format)
    ranged = st.tuples(st.integers(least, most), st.integers(least, most)).map(lambda ends: f"{min(ends)}-{max(ends)}")
    return st.one_of(st.just("*"), one, listed, steps, ranged)


# Days up to 28, because the 30th of February never fires and is rightly refused.
FIELDS = st.tuples(number(0, 59), number(0, 23), number(1, 28), number(1, 12), number(0, 6)).map(" ".join)

schemathesis.openapi.format("schedule", st.one_of(st.sampled_from(PRESETS), FIELDS))
schemathesis.openapi.format("timezone", st.sampled_from(ZONES))


def cursor(sort_key):
    return base64.urlsafe_b64encode(sort_key.encode()).decode().rstrip("=")


# A cursor is `next` of a page before. These name places in the lists, as such a `next` does.
schemathesis.openapi.format("cursor", st.text(string.ascii_letters, max_size=20).map(lambda text: cursor(f"deployment#{text}")))
TICK_CURSOR = "1767225600000"
HISTORY_CURSOR = "1000"


def echo(project):
    return {
        "project_id": project,
        "source": "webhook_1",
        "components": [
            {"id": "webhook_1", "provider": "webhook", "config": {}},
            {
                "id": "response_1",
                "provider": "response",
                "config": {},
                "input": [{"lane": "text", "from": "webhook_1"}],
            },
            # Takes what is no text, too: the description allows any body.
            {"id": "log_1", "provider": "log", "config": {}, "input": [{"lane": "tags", "from": "webhook_1"}]},
        ],
    }


def ask(method, path, **parts):
    answer = requests.request(method, URL + path, timeout=30, **{"headers": ADMIN, **parts})
    answer.raise_for_status()
    return answer.json()


def seed():
    """Deployments with runs, environments, keys and a secret, so that requests find something."""
    seeded = {"project": [], "run": [], "hook": [], "id": []}
    seeded["environment"] = ["staging", "testing"]
    seeded["source"] = ["webhook_1"]
    for index in range(8):
        project = f"seeded-{index}"
        deployment = ask("POST", "/v1/deployments", json={"pipeline": echo(project), "schedule": "@hourly"})
        run = ask("POST", f"{deployment['hook']}?wait=20", data=b"hello", headers={"Content-Type": "text/plain"})
        for environment in seeded["environment"]:
            body = {"pipeline": echo(project), "environment": environment}
            ask("POST", f"/v1/deployments/{project}/versions", json=body)
        seeded["project"].append(project)
        seeded["run"].append(run["id"])
        seeded["hook"].append(deployment["hook"].removeprefix("/hooks/"))
        seeded["id"].append(ask("POST", "/v1/keys", json={"name": project})["id"])
    ask("PUT", "/v1/secrets/SEEDED", json={"value": "s3cr3t"})
    seeded["name"] = ["SEEDED"]
    seeded["token"] = [open_task(f"task-{index}") for index in range(4)]
    return seeded


def open_task(project):
    return ask("POST", "/v1/tasks", json={"pipeline": echo(project), "ttlSeconds": 0})["token"]


# Names that the description gives as examples, and that no plane has.
EXAMPLES = {
    "access-log-digest",
    "staging",
    "timer_1",
    "01KAFZ7Q3M8T5V2N9R4C6W1XDB",
    "01KAFYZB6N3T8V5M2R9C4W7XQD",
    "2QJ8ZV5T0M3N7R1C6W9XKB4DYE",
    "API_TOKEN",
    "tk_5b1f0c9a7e3d4826b0c1d2e3f4a59687",
}
OWN_KEYS = {key["id"] for key in ask("GET", "/v1/keys")["items"]}
SEEDED = seed()


def is_valid(case, location):
    component = case.meta and case.meta.components.get(location)
    return bool(component) and component.mode.is_positive


def is_wrong(case, location):
    component = case.meta and case.meta.components.get(location)
    return bool(component) and component.mode.is_negative


def name_what_exists(operation, case):
    """Half of the names become those of what exists: a random one is answered with 404 and reaches nothing behind."""
    for name, value in (case.path_parameters or {}).items():
        known = SEEDED.get(name, [])
        if name == "hook":
            known = known[: len(known) // 2]
        spelled = sum(map(ord, str(value)))
        if known and (value in EXAMPLES or spelled % 2 == 0):
            case.path_parameters[name] = known[spelled // 2 % len(known)]
    run = (case.path_parameters or {}).get("run")
    if run in SEEDED["run"] and "project" in (case.query or {}) and is_valid(case, "query"):
        # A run is found in its own project.
        case.query["project"] = SEEDED["project"][SEEDED["run"].index(run)]


def names_a_kept_project(case):
    kept = SEEDED["project"][: len(SEEDED["project"]) // 2]
    return unquote(str(case.path_parameters.get("project"))) in kept


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation.definition.raw["operationId"]
    if is_valid(case, "path") and case.meta.phase.name != TestPhase.STATEFUL:
        # Stateful tests go on with what they made.
        name_what_exists(operation, case)
    if (case.path_parameters or {}).get("environment") == "%40me":
        # Encoded as it is here, the checks would find that it does not fit its pattern.
        case.path_parameters["environment"] = "staging"
    if operation == "key_revoke" and case.path_parameters.get("id") in OWN_KEYS:
        # The rest of the test needs the key that it is made with.
        case.path_parameters["id"] = SEEDED["id"][0]
    elif operation in ("deployment_pause", "deployment_remove", "environment_remove") and names_a_kept_project(case):
        # Webhooks and runs find these until the end. Others are paused and removed.
        case.path_parameters["project"] = SEEDED["project"][-1]
    query = case.query or {}
    if operation == "tick_list" and "cursor" in query and is_valid(case, "query"):
        # Ticks lie at instants, not at keys of the table.
        case.query["cursor"] = TICK_CURSOR
    if operation == "environment_history" and "cursor" in query and is_valid(case, "query"):
        # A place in the history is its number.
        case.query["cursor"] = HISTORY_CURSOR
    if operation == "hook_receive" and "wait" in query:
        # The run of a pipeline that was made up here may fail, which is 502 to a sender who waits, unless it asks for 200.
        case.query["status"] = "200"
    if operation.startswith("task_"):
        make_task_meaningful(operation, case)
    elif operation == "provider_list_rocketride" and "service" in query and is_valid(case, "query"):
        # Only this route answers 400 for what is not there.
        case.query["service"] = "webhook"
    # The project of an example is not the one that the path names by now.
    is_example = operation == "version_add" and not is_wrong(case, "body")
    if isinstance(case.body, dict) and (is_valid(case, "body") or is_example):
        make_meaningful(operation, case)


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.definition.raw["operationId"] == "group_remove" and response.status_code == 202:
        # What is removed by a rollout is there until the rollout has ended.
        rollout = response.json()["id"]
        while ask("GET", f"/v1/rollouts/{rollout}")["state"] in ("pending", "running"):
            time.sleep(0.05)


NUMBERS = itertools.count()


def make_task_meaningful(operation, case):
    """RocketRide's routes answer 400 where ours answer 404 and 409, so what they are asked for has to be there."""
    if operation.startswith("task_open"):
        # An owner has a hundred open tasks at most.
        for task in ask("GET", "/v1/tasks")["items"]:
            if task["state"] == "open" and task["token"] not in SEEDED["token"]:
                requests.delete(f"{URL}/v1/tasks/{quote(task['token'], safe='')}", headers=ADMIN, timeout=30)
    if "rocketride" in operation and not is_wrong(case, "query"):
        if operation.startswith("task_end"):
            case.query["token"] = open_task(f"ended-{next(NUMBERS)}")
        elif operation.startswith(("task_get", "task_send")):
            case.query["token"] = SEEDED["token"][0]
        if case.media_type == "multipart/form-data" and isinstance(case.body, dict) and is_valid(case, "body"):
            # The names of a form's fields hold no control characters.
            case.body = {f"field-{number}": value for number, value in enumerate(case.body.values())}
    elif operation == "task_end" and case.path_parameters.get("token") in SEEDED["token"]:
        # The others find these until the end.
        case.path_parameters["token"] = open_task(f"ended-{next(NUMBERS)}")


def make_meaningful(operation, case):
    """Mends bodies that have the right form and cannot be right, such as a pipeline of random components."""
    body = case.body
    pipeline = body.get("pipeline")
    if operation in ("deployment_add", "deployment_update", "version_add") and isinstance(pipeline, dict):
        # Fields beside these are kept as they were made: any are allowed.
        project = pipeline.get("project_id")
        if operation in ("deployment_update", "version_add"):
            # A pipeline is of the project that the path names.
            project = unquote(case.path_parameters["project"])
        pipeline.update(echo(project))
    if operation == "environment_promote" and body.get("from") == unquote(case.path_parameters["environment"]):
        # An environment is not promoted to itself.
        body["from"] = "staging" if body["from"] == "testing" else "testing"
    if operation in ("task_open", "task_restart") and isinstance(pipeline, dict):
        pipeline.update(echo(f"opened-{next(NUMBERS)}"))
        if "source" in body:
            body["source"] = "webhook_1"
    if operation.startswith("task_open_rocketride"):
        body.update(echo(f"opened-{next(NUMBERS)}"))
    if operation in ("rollout_start", "rollout_preview"):
        # Two pipelines of one project are refused, many without a group, and a preview of one that cannot run.
        body["group"] = body.get("group") or "rolled-out"
        for wanted in body.get("pipelines") or []:
            wanted.clear()
            wanted["pipeline"] = echo(f"rolled-out-{next(NUMBERS)}")
    if operation == "rollout_start_checkly":
        # A dry run refuses pipelines that cannot run.
        for resource in body["resources"]:
            number = next(NUMBERS)
            resource["logicalId"] = f"resource-{number}"
            resource["payload"].update(pipeline=echo(f"deployed-{number}"), schedule="@hourly", timezone="UTC")
    if operation == "key_create" and body.get("expiresAt"):
        # A key that has expired before it is made is refused.
        body["expiresAt"] = "2099-12-31T23:59:59Z"
