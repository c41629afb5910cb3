"""Tasks: RocketRide's HTTP routes and our own, each behind a function of its own."""

from .pipelines import on_webhook


def step_a_task_takes_objects_and_is_terminated(stack, users):
    ana = users["ana"]
    opened = ana.post("/task", on_webhook("sent")).ok()["data"]
    token = opened["token"]
    for text in ("one", "two"):
        answer = ana.send("POST", "/task/data", text.encode(), {"Content-Type": "text/plain"}, {"token": token}).ok()
        assert answer["data"]["objectsCompleted"] == 1, answer
        [object_] = answer["data"]["objects"].values()
        assert f"{text}\n\n" in str(object_).replace("\\n", "\n"), object_
    status = ana.get("/task", token=token).ok()["data"]
    assert (status["state"], status["completedCount"]) == (3, 2), status
    ana.send("DELETE", "/task", query={"token": token}).ok()
    status = ana.get("/task", token=token).ok()["data"]
    assert (status["state"], status["completed"]) == (6, True), status
    refused = ana.send("DELETE", "/task", query={"token": token})
    assert refused.status == 400 and "Your pipeline is not running" in str(refused.body), refused.body


def step_tasks_are_listed_and_another_owner_sees_none(stack, users):
    ana, bob = users["ana"], users["bob"]
    opened = ana.post("/v1/tasks", {"pipeline": on_webhook("listed")}).ok()
    assert opened["id"] in [task["id"] for task in ana.get("/v1/tasks").ok()["items"]]
    assert bob.get("/v1/tasks").ok()["items"] == []
    assert bob.get(f"/v1/tasks/{opened['token']}").refused(404) == "not_found"
    ana.delete(f"/v1/tasks/{opened['token']}").ok()
    runs = ana.get("/v1/runs", project="listed").ok()["items"]
    assert [(run["trigger"], run["state"]) for run in runs] == [("task", "cancelled")], runs


def step_a_variable_that_the_pipeline_names_is_sealed_and_used(stack, users):
    ana = users["ana"]
    pipeline = on_webhook("sealed")
    pipeline["components"].insert(
        1,
        {
            "id": "said_1",
            "provider": "template",
            "config": {"template": "said ${ROCKETRIDE_WORD}"},
            "input": [{"lane": "text", "from": "hook_1"}],
        },
    )
    pipeline["components"][2]["input"] = [{"lane": "text", "from": "said_1"}]
    opened = ana.post("/v1/tasks", {"pipeline": pipeline, "variables": {"ROCKETRIDE_WORD": "open-sesame"}}).ok()
    sent = ana.send("POST", "/task/data", b"x", {"Content-Type": "text/plain"}, {"token": opened["token"]}).ok()
    assert "said open-sesame" in str(sent), sent
    ana.delete(f"/v1/tasks/{opened['token']}").ok()
