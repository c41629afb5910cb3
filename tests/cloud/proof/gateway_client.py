"""What RocketRide's client does through the gateway: a program of its own, because it has an environment of its own."""

import asyncio
import json
import sys

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
    client = RocketRideClient(uri=given["uri"], auth=given["auth"])
    await client.connect()
    seen = {}
    for name in given["steps"]:
        token = given["pipeline"].get("token") or seen.get("use")
        seen[name] = await globals()[name](client, given, token)
    await client.disconnect()
    json.dump(seen, sys.stdout)


asyncio.run(main())
