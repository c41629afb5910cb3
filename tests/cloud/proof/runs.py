"""Runs: by hand and by webhook, to their end."""

from .api import User, deployment
from .pipelines import on_request, on_timer, on_webhook
from .steps import wait_for


def ended(user, run):
    return wait_for(f"run {run} ends", lambda: user.run(run), lambda run: run["endedAt"])


def step_a_run_by_hand_succeeds_with_its_result(stack, users):
    started = users["ana"].post(f"{deployment('orders')}/runs", {}).ok()
    run = ended(users["ana"], started["id"])
    assert (run["state"], run["trigger"], run["version"]) == ("succeeded", "manual", 2), run
    assert run["result"]["text"][0].strip() == "second", run
    return f"{run['durationMs']} ms"


def step_its_log_is_read(stack, users):
    (run,) = users["ana"].get("/v1/runs", project="orders").ok()["items"]
    logs = users["ana"].get(f"/v1/runs/{run['id']}/logs").ok()
    assert logs["complete"] and "second" in logs["items"][0]["message"], logs


def step_an_input_reaches_the_run(stack, users):
    users["ana"].deploy(on_webhook("greeting")).ok()
    started = users["ana"].post(f"{deployment('greeting')}/runs", {"input": "hello Rīga"}).ok()
    run = ended(users["ana"], started["id"])
    assert "Rīga" in str(run["result"]), run


def step_a_run_that_fails_says_why(stack, users):
    users["ana"].deploy(on_timer("failing", "{{ value.missing.field }}"), maxAttempts=1).ok()
    started = users["ana"].post(f"{deployment('failing')}/runs", {}).ok()
    run = ended(users["ana"], started["id"])
    assert run["state"] == "failed" and run["error"]["message"], run
    return run["error"]["message"]


def step_a_webhook_is_answered_with_its_result(stack, users):
    hook = users["ana"].deploy(on_webhook("echo")).ok()["hook"]
    sent = "žluťoučký %2F &=?".encode()
    headers = {"Content-Type": "text/plain"}
    answer = User(stack).send("POST", hook, sent, headers, query={"wait": 20, "x": "1"})
    run = answer.ok()
    assert answer.status == 200 and run["state"] == "succeeded", run
    assert [text.strip() for text in run["result"]["echo"]] == [sent.decode()], run


def step_a_webhook_that_is_not_waited_for_is_taken(stack, users):
    hook = users["ana"].get(deployment("echo")).ok()["hook"]
    taken = User(stack).send("POST", hook, b"later", {"Content-Type": "text/plain"})
    assert taken.status == 202, taken.body
    run = ended(users["ana"], taken.body["id"])
    assert (run["state"], run["trigger"]) == ("succeeded", "webhook"), run


def step_webhooks_of_one_project_run_one_after_the_other(stack, users):
    hook = users["ana"].get(deployment("echo")).ok()["hook"]
    ids = [User(stack).send("POST", hook, f"{n}".encode(), {"Content-Type": "text/plain"}).ok()["id"] for n in range(5)]
    runs = [ended(users["ana"], run) for run in ids]
    assert [run["result"]["echo"][0].strip() for run in runs] == [f"{n}" for n in range(5)], runs
    for before, after in zip(runs, runs[1:]):
        assert before["endedAt"] <= after["startedAt"], (before, after)


def step_an_unknown_hook_is_not_found(stack, users):
    known = users["ana"].get(deployment("echo")).ok()["hook"]
    for hook in (known[:-1] + ("a" if known[-1] != "a" else "b"), known + "a", "/hooks/%20"):
        answer = User(stack).send("POST", hook, b"x")
        assert answer.refused(404) == "not_found", hook


def step_a_run_that_waits_for_another_attempt_is_cancelled(stack, users):
    # Nothing listens there, which may pass, so the run waits and tries again.
    users["ana"].deploy(on_request("patient", "https://nowhere.invalid/"), maxAttempts=9).ok()
    started = users["ana"].post(f"{deployment('patient')}/runs", {}).ok()["id"]
    waiting = lambda: users["ana"].run(started)
    wait_for("it has failed once", waiting, lambda run: run["attempt"] > 1 or run["startedAt"])
    users["ana"].post(f"/v1/runs/{started}/cancel").ok()
    run = ended(users["ana"], started)
    assert run["state"] == "cancelled", run
    return f"in attempt {run['attempt']}"


def step_the_network_of_the_functions_is_not_open_to_pipelines(stack, users):
    constant = users["ana"].deploy(on_request("nosy", "http://169.254.169.254/latest/meta-data/"))
    assert constant.status == 400, constant.body
    written = "http://{{ '169.254.169.254' }}/latest/meta-data/"
    users["ana"].deploy(on_request("nosy", written), maxAttempts=1).ok()
    run = ended(users["ana"], users["ana"].post(f"{deployment('nosy')}/runs", {}).ok()["id"])
    assert run["state"] == "failed", run
    return run["error"]["message"]
