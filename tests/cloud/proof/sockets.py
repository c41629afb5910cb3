"""The WebSocket API: RocketRide's own client, connected to it as to a server."""

import threading

from .api import deployment
from .gateway import client
from .pipelines import on_webhook
from .steps import wait_for


def through_api_gateway(stack, key, pipeline, *steps):
    """What the client sees."""
    url, path = stack.sockets
    return client(url, key, pipeline, *steps, options={"ws_path": path})


def step_what_is_larger_than_a_frame_is_refused_with_where_to_ask(stack, users):
    ana = users["ana"]
    refused = through_api_gateway(stack, ana.key, on_webhook("by-socket"), "refused_list")["refused_list"]
    assert "128 KiB" in str(refused) and "tidemill gateway" in str(refused), refused
    # A pipeline of a megabyte is among those that the owner has.
    ana.delete(deployment("large")).ok()


def step_a_pipeline_is_deployed_listed_updated_and_removed(stack, users):
    seen = through_api_gateway(stack, users["ana"].key, on_webhook("by-socket"), "deployments")
    state, listed, schedule, gone = seen["deployments"]
    assert (state, schedule) == ("active", "0 7 * * *") and "by-socket" in listed, seen
    assert "by-socket" in gone, seen
    assert stack.schedules_of("by-socket") == []


def step_a_task_is_used_and_terminated_and_its_objects_go_over_http(stack, users):
    ana = users["ana"]
    first = through_api_gateway(stack, ana.key, on_webhook("by-socket"), "use", "refused_send")
    assert "POST /task/data" in first["refused_send"] and "tidemill gateway" in first["refused_send"], first
    text = {"Content-Type": "text/plain"}
    sent = ana.send("POST", "/task/data", b"Hello", text, {"token": first["use"]}).ok()
    assert sent["data"]["objectsCompleted"] == 1, sent
    second = through_api_gateway(stack, ana.key, {"token": first["use"]}, "terminate", "status")
    assert second["status"] == {"state": 6, "completedCount": 1}, second


def step_another_owner_sees_nothing_of_it(stack, users):
    seen = through_api_gateway(stack, users["bob"].key, on_webhook("secretive-socket"), "deployments")
    assert "by-socket" not in seen["deployments"][1], seen
    return f"{seen['deployments'][1]}"


def step_watchers_receive_what_becomes_of_a_task(stack, users):
    seen = through_api_gateway(stack, users["ana"].key, on_webhook("watched"), "watched")
    assert seen["watched"] == ["watched", 0, "watched"], seen


def step_a_revoked_key_closes_its_socket_within_a_minute(stack, users):
    ana = users["ana"]
    made = ana.post("/v1/keys", {"scopes": ["task.monitor"]}).ok()

    def revoke():
        wait_for("a watcher", lambda: kept(stack, "watcher#"), bool)
        ana.delete(f"/v1/keys/{made['id']}").ok()

    revoking = threading.Thread(target=revoke)
    revoking.start()
    seen = through_api_gateway(stack, made["key"], on_webhook("none"), "closed")
    revoking.join()
    assert seen["closed"] < 70, seen
    return f"{seen['closed']:.1f} s"


def kept(stack, *beginnings):
    """The keys of the table's items that have one of these beginnings."""
    keys = [item[name]["S"] for item in stack.items() for name in ("pk", "sk")]
    return [key for key in keys if key.startswith(beginnings)]


def step_what_is_kept_of_connections_goes_with_them(stack, users):
    left = lambda: kept(stack, "C#", "STRANGERS", "watcher#")
    wait_for("nothing is kept", left, lambda left: not left)
