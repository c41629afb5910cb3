"""What RocketRide's client does through the gateway: a program of its own, because it has an environment of its own."""

import asyncio
import json
import sys
import time

from rocketride import RocketRideClient


async def deploy(client, given, _):
    record = await client.deploy.add(pipeline=given["pipeline"], schedule="0 6 * * *")
    return {"state": record["state"], "schedule": record["schedule"]}


async def use(client, given, _):
    return (await client.use(pipeline=given["pipeline"]))["token"]


async def send(client, _, token):
    return first_text(await client.send(token, "Hello", mimetype="text/plain"))


async def large(client, _, token):
    return len(first_text(await client.send(token, "x" * 5_000_000, mimetype="text/plain")))


async def refused_send(client, _, token):
    try:
        await client.send(token, "Hello", mimetype="text/plain")
    except RuntimeError as error:
        return str(error)


async def deployments(client, given, _):
    project = given["pipeline"]["project_id"]
    seen = [(await client.deploy.add(pipeline=given["pipeline"], schedule="0 6 * * *"))["state"]]
    seen.append([one["pipeline"]["project_id"] for one in await client.deploy.list()])
    await client.deploy.update(project, schedule="0 7 * * *")
    seen.append((await client.deploy.status(project))["schedule"])
    await client.deploy.remove(project)
    try:
        await client.deploy.status(project)
    except RuntimeError as error:
        seen.append(str(error))
    return seen


async def refused_list(client, _, token):
    try:
        return len(await client.deploy.list())
    except RuntimeError as error:
        return str(error)


async def watched(client, given, _):
    """The events of a task from its beginning to its end."""
    await client.add_monitor({"token": "*"}, ["task", "summary"])
    token = (await client.use(pipeline=given["pipeline"]))["token"]
    own = given["pipeline"]["project_id"]

    def of_task(action):
        return lambda name, body: name == "apaevt_task" and (body["action"], body.get("projectId")) == (action, own)

    begun = await event(of_task("begin"))
    running = await event(lambda name, body: name == "apaevt_status_update" and body["state"] == 3)
    await client.terminate(token)
    ended = await event(of_task("end"))
    return [begun["projectId"], running["completedCount"], ended["projectId"]]


async def closed(client, _, token):
    """How many seconds it takes until the connection is closed by the other side."""
    start = time.monotonic()
    # What it watches is seen in the table, so that the key is not revoked before the login.
    await client.add_monitor({"token": "*"}, ["task"])
    while client.is_connected():
        await asyncio.sleep(0.1)
    return time.monotonic() - start


events = asyncio.Queue()


async def note(event):
    events.put_nowait((event["event"], event.get("body", {})))


async def event(is_it):
    """Waits for an event, and gives its body."""
    async with asyncio.timeout(30):
        while True:
            name, body = await events.get()
            if is_it(name, body):
                return body


async def terminate(client, _, token):
    await client.terminate(token)


async def status(client, _, token):
    found = await client.get_task_status(token)
    return {"state": found["state"], "completedCount": found["completedCount"]}


def first_text(result):
    [key] = result["result_types"]
    return result[key][0].removesuffix("\n\n")


async def main():
    given = json.load(sys.stdin)
    client = RocketRideClient(uri=given["uri"], auth=given["auth"], on_event=note, **given.get("options", {}))
    await client.connect()
    seen = {}
    for name in given["steps"]:
        token = given["pipeline"].get("token") or seen.get("use")
        seen[name] = await globals()[name](client, given, token)
    await client.disconnect()
    json.dump(seen, sys.stdout)


asyncio.run(main())
