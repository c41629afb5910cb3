"""Rollouts: carried out by a worker behind a queue of its own, one at a time for each group."""

import time

from .pipelines import on_timer
from .steps import wait_for


def request(group, projects, template):
    wanted = [{"pipeline": on_timer(project, template), "schedule": "@hourly"} for project in projects]
    return {"group": group, "pipelines": wanted, "gone": "prune"}


def ended(user, rollout):
    return wait_for(
        "the rollout's end",
        lambda: user.get(f"/v1/rollouts/{rollout}/completion", wait=5).ok(),
        lambda shown: shown["endedAt"],
        120,
    )


def outcomes(rollout):
    return [(item.get("action"), item["project"], item["outcome"]) for item in rollout["items"]]


def step_a_rollout_brings_its_pipelines_live_with_their_schedules(stack, users):
    ana = users["ana"]
    begun = ana.post("/v1/rollouts", request("night", ["roll-a", "roll/b#1"], "one")).ok()
    done = ended(ana, begun["id"])
    assert done["state"] == "succeeded", done
    assert outcomes(done) == [("create", "roll-a", "applied"), ("create", "roll/b#1", "applied")], done
    shown = ana.get("/v1/deployments/roll-a").ok()
    assert (shown["group"], shown["state"], len(shown["next"])) == ("night", "active", 5), shown
    found = ana.post("/v1/doctor").ok()["findings"]
    assert found == [], found


def step_what_is_gone_is_pruned_and_what_is_the_same_stays(stack, users):
    ana = users["ana"]
    wanted = request("night", ["roll-a", "roll-c"], "one")
    preview = ana.post("/v1/rollouts/preview", wanted).ok()
    done = ended(ana, ana.post("/v1/rollouts", wanted).ok()["id"])
    expected = [("unchanged", "roll-a"), ("create", "roll-c"), ("delete", "roll/b#1")]
    assert [(item["action"], item["project"]) for item in preview["items"]] == expected, preview
    assert outcomes(done) == [(action, project, "applied") for action, project in expected], done
    versions = ana.get("/v1/deployments/roll-a/versions").ok()["items"]
    assert len(versions) == 1 and versions[0]["rollout"], versions


def step_of_ten_at_once_one_starts_and_the_rest_learn_which(stack, users):
    from concurrent.futures import ThreadPoolExecutor

    ana = users["ana"]
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda n: ana.post("/v1/rollouts", request("rivals", ["rival"], f"n{n}")), range(10)))
    begun = [answer for answer in answers if answer.status == 202]
    refused = [answer for answer in answers if answer.status == 409]
    assert begun and len(begun) + len(refused) == 10, [answer.status for answer in answers]
    ids = {answer.body["id"] for answer in begun}
    assert all(answer.body["details"][0]["message"] in ids for answer in refused), refused
    for answer in begun:
        assert ended(ana, answer.body["id"])["state"] == "succeeded"
    assert ana.get("/v1/groups/rivals").ok()["running"] is None
    return f"{len(begun)} ran one after the other, {len(refused)} were refused with the id of the active one"


def step_a_rollout_that_is_cancelled_leaves_no_slot(stack, users):
    ana = users["ana"]
    projects = [f"many-{number:03}" for number in range(1000)]
    begun = ana.post("/v1/rollouts", request("many", projects, "x")).ok()
    ana.post(f"/v1/rollouts/{begun['id']}/cancel").ok()
    ana.post(f"/v1/rollouts/{begun['id']}/cancel").ok()
    done = ended(ana, begun["id"])
    assert done["state"] == "cancelled", done["state"]
    reached = [item for item in done["items"] if item["outcome"] == "applied"]
    assert len(done["items"]) == 1000 and len(reached) < 1000, len(reached)
    group = ana.get("/v1/groups/many")
    if not reached:
        # The cancellation came before the first resource, which makes the group.
        assert group.refused(404) == "not_found"
        return "none was live by then"
    live = group.ok()["members"]
    assert len(live) == len(reached), (len(live), len(reached))
    return f"{len(reached)} of 1000 were live by then"


def step_a_group_of_a_hundred_is_rolled_out_and_taken_off(stack, users):
    ana = users["ana"]
    projects = [f"many-{number:03}" for number in range(100)]
    start = time.monotonic()
    done = ended(ana, ana.post("/v1/rollouts", request("many", projects, "y")).ok()["id"])
    took = time.monotonic() - start
    assert done["state"] == "succeeded" and done["settled"] == done["resources"] >= 100, done
    removed = ended(ana, ana.delete("/v1/groups/many").ok()["id"])
    assert removed["state"] == "succeeded" and len(removed["items"]) == 100, removed
    assert ana.get("/v1/groups/many").refused(404) == "not_found"
    return f"rolled out in {took:.1f} s"


def step_another_owner_sees_none_of_it(stack, users):
    ana, bob = users["ana"], users["bob"]
    mine = ana.get("/v1/rollouts").ok()["items"][0]["id"]
    assert bob.get(f"/v1/rollouts/{mine}").refused(404) == "not_found"
    assert bob.post(f"/v1/rollouts/{mine}/cancel").refused(404) == "not_found"
    assert bob.get("/v1/groups/night").refused(404) == "not_found"
    assert bob.get("/v1/rollouts").ok()["items"] == []
