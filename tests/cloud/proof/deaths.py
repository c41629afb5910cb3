"""Deaths: functions die at some of their calls of AWS; every tick and every run still ends once.

A user repeats requests without an answer, AWS delivers bells without an answer again, and the sweep rings for the rest. The
schedule of the stack calls the sweep every minute; it is called more often here, to wait for less.
"""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from .api import User, deployment
from .pipelines import on_timer, on_webhook
from .steps import wait_for

SCHEDULED = [f"scheduled-{n}" for n in range(8)]
HOOKED = [f"hooked-{n}" for n in range(3)]
TICKS = 3
BODIES = 6
BY_HAND = 4
ROLLOUTS = 2
# Less would say little of what a death does.
FEWEST_DEATHS = 15
# A message whose receiver died is hidden for a minute; some lose several receivers in a row.
PATIENCE = 600


class Scene:
    def __init__(self):
        self.ana = None
        self.hooks = {}
        self.fired = {}
        self.accepted = {}
        self.by_hand = set()
        self.final = {}

    def note(self, runs):
        """Remembers how each run was when it was first seen to have ended."""
        for run in runs:
            if run["endedAt"]:
                self.final.setdefault(run["id"], run)


def at_these(minutes):
    """A schedule of these minutes, and of none after them until tomorrow: work that comes to an end."""
    hours = ",".join(str(hour) for hour in sorted({minute.hour for minute in minutes}))
    return f"{','.join(str(minute) for minute in sorted(m.minute for m in minutes))} {hours} * * *"


def soon():
    now = datetime.now(UTC)
    return at_these([now + timedelta(minutes=n) for n in range(1, TICKS + 1)])


def persistent(ask):
    """Asks until there is an answer: a gateway error is one of a function that died."""
    return wait_for("an answer", ask, lambda answer: answer.status < 500)


def adding(user, body):
    """Adds under an idempotency key, so a repeated request gets the first one's answer."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    return persistent(lambda: user.send("POST", "/v1/deployments", body, dict(key))).ok()


def all_runs(scene):
    runs, cursor = [], None
    while True:
        query = {"limit": 100} | ({"cursor": cursor} if cursor else {})
        page = persistent(lambda: scene.ana.get("/v1/runs", **query)).ok()
        runs += page["items"]
        cursor = page["next"]
        if not cursor:
            scene.note(runs)
            return runs


def all_ended(runs):
    return runs and all(run["endedAt"] for run in runs)


def sweep(stack):
    """The sweep; it dies, too."""
    return not stack.invoke("plane_sweep", {})[1]


def step_a_key_is_issued(stack, scene):
    made, _ = wait_for("a key", lambda: stack.invoke("key_issue", {"owner": "ana"}), lambda answer: not answer[1])
    scene.ana = User(stack, made["key"])


def step_projects_are_added(stack, scene):
    for name in SCHEDULED:
        body = {"pipeline": on_timer(name), "schedule": soon()}
        scene.fired[name] = adding(scene.ana, body)["next"][:TICKS]
    for name in HOOKED:
        scene.hooks[name] = adding(scene.ana, {"pipeline": on_webhook(name), "schedule": "manual"})["hook"]
    return f"{len(SCHEDULED) + len(HOOKED)} projects, {stack.deaths()} deaths"


def step_schedules_are_there_after_sweeping(stack, scene):
    wait_for("a sweep that lives", lambda: sweep(stack), bool)
    missing = lambda: [name for name in SCHEDULED if len(stack.schedules_of(name)) != 1]
    wait_for("every schedule", lambda: sweep(stack) and missing(), lambda found: found == [])


def step_ticks_webhooks_and_calls_come_at_once(stack, scene):
    def tick(name):
        for minute in scene.fired[name]:
            # Scheduler delivers at least once, which is also twice.
            stack.fire(name, minute)
            stack.fire(name, minute)

    def send(name):
        for number in range(BODIES):
            text = f"{name} {number}"
            headers = {"Content-Type": "text/plain"}
            answer = User(stack).send("POST", scene.hooks[name], text.encode(), headers)
            if answer.status == 202:
                scene.accepted[answer.body["id"]] = text

    def call(name):
        for _ in range(BY_HAND):
            key = {"Idempotency-Key": str(uuid.uuid4())}
            path = f"{deployment(name)}/runs"
            started = persistent(lambda: scene.ana.send("POST", path, {}, dict(key)))
            # A run that is going keeps a second one from being started by hand.
            if started.status == 202:
                scene.by_hand.add(started.body["id"])

    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(tick, name) for name in SCHEDULED]
        work += [pool.submit(send, name) for name in HOOKED]
        work += [pool.submit(call, name) for name in SCHEDULED[:2]]
        [done.result() for done in work]
    return f"{len(scene.accepted)} webhooks taken, {len(scene.by_hand)} runs by hand, {stack.deaths()} deaths"


def step_the_sweep_brings_everything_to_its_end(stack, scene):
    start = time.monotonic()
    swept = 0

    def open_work():
        nonlocal swept
        swept += sweep(stack)
        runs = all_runs(scene)
        still = [run["id"] for run in runs if not run["endedAt"]]
        for name in SCHEDULED:
            ticks = persistent(lambda: scene.ana.ticks_answer(name)).ok()["items"]
            still += [f"{name} {minute}" for minute in scene.fired[name] if minute not in {t["at"] for t in ticks}]
        time.sleep(1)
        return still

    wait_for("the end of all work", open_work, lambda still: not still, seconds=PATIENCE)
    return f"{stack.deaths()} deaths, {swept} sweeps, {time.monotonic() - start:.0f} s"


def step_the_minute_after_runs(stack, scene):
    """The minutes before may all have been skipped for a run whose function died, which doctor names as it should."""

    def ran(name, minute):
        sweep(stack)
        ticks = persistent(lambda: scene.ana.ticks_answer(name)).ok()["items"]
        return [tick["outcome"] for tick in ticks if tick["at"] == minute]

    for name in SCHEDULED:
        last = max(datetime.fromisoformat(minute) for minute in scene.fired[name])
        after = max(last, datetime.now(UTC)) + timedelta(minutes=2)
        change = {"schedule": at_these([after])}
        minute = persistent(lambda: scene.ana.patch(deployment(name), change)).ok()["next"][0]
        scene.fired[name].append(minute)
    for name in SCHEDULED:
        minute = scene.fired[name][-1]
        stack.fire(name, minute)
        wait_for(f"the run of {name} at {minute}", lambda: ran(name, minute), ["ran"].__eq__, seconds=PATIENCE)
    wait_for("the end of its runs", lambda: sweep(stack) and all_runs(scene), all_ended, seconds=PATIENCE)


def step_rollouts_come_to_their_end_and_are_what_they_say(stack, scene):
    """A worker may die at any call, and so may a caller; then the sweep ends the rollout, or another worker continues."""
    states = []
    for number in range(ROLLOUTS):
        names = [f"rolled-{n}" for n in range(3)]
        wanted = [{"pipeline": on_timer(name, f"round {number}"), "schedule": "manual"} for name in names]
        key = {"Idempotency-Key": str(uuid.uuid4())}
        body = {"group": "mortal", "pipelines": wanted}
        begun = persistent(lambda: scene.ana.send("POST", "/v1/rollouts", body, dict(key))).ok()

        def ended():
            sweep(stack)
            return persistent(lambda: scene.ana.get(f"/v1/rollouts/{begun['id']}")).ok()

        rollout = wait_for("the rollout's end", ended, lambda shown: shown["endedAt"], seconds=PATIENCE)
        states.append(rollout["state"])
        for item in rollout["items"]:
            live = persistent(lambda: scene.ana.get(f"/v1/deployments/{item['project']}")).body
            versions = persistent(lambda: scene.ana.get(f"/v1/deployments/{item['project']}/versions"))
            newest = versions.body["items"][0] if versions.status == 200 else {}
            is_ours = newest.get("rollout") == begun["id"] and live.get("version") == newest["version"]
            assert is_ours == (item["outcome"] == "applied"), (item, live, newest)
        assert persistent(lambda: scene.ana.get("/v1/groups/mortal")).ok()["running"] is None
    return f"{', '.join(states)}; {stack.deaths()} deaths"


def step_every_tick_is_accounted_once(stack, scene):
    counted = 0
    for name in SCHEDULED:
        ticks = persistent(lambda: scene.ana.ticks_answer(name)).ok()["items"]
        minutes = [tick["at"] for tick in ticks]
        assert len(minutes) == len(set(minutes)), f"{name}: {ticks}"
        assert set(scene.fired[name]) <= set(minutes), f"{name}: {ticks}"
        ran = [tick["run"] for tick in ticks if tick["outcome"] == "ran"]
        made = persistent(lambda: scene.ana.get("/v1/runs", project=name, trigger="schedule", limit=100)).ok()["items"]
        assert sorted(ran) == sorted(run["id"] for run in made), f"{name}: {ticks}, {made}"
        counted += len(minutes)
    return f"{counted} ticks"


def step_every_run_is_final_once_and_succeeded(stack, scene):
    runs = all_runs(scene)
    changed = [(run, scene.final[run["id"]]) for run in runs if scene.final[run["id"]] != run]
    assert not changed, changed
    failed = [run for run in runs if run["state"] != "succeeded"]
    assert not failed, failed
    return f"{len(runs)} runs"


def step_every_webhook_that_was_taken_has_run_with_its_body(stack, scene):
    for run, text in scene.accepted.items():
        found = persistent(lambda: scene.ana.get(f"/v1/runs/{run}")).ok()
        assert found["result"]["echo"][0].strip() == text, (text, found)


def step_every_run_that_was_started_by_hand_is_there(stack, scene):
    runs = {run["id"] for run in all_runs(scene) if run["trigger"] == "manual"}
    assert scene.by_hand <= runs, scene.by_hand - runs


def step_the_doctor_finds_nothing(stack, scene):
    healthy = lambda: sweep(stack) and persistent(lambda: scene.ana.post("/v1/doctor")).ok()
    # What became due in this minute is not yet late.
    found = wait_for("a clean bill of health", healthy, lambda found: found and found["healthy"], seconds=180)
    assert not found["findings"], found
    return f"{found['deployments']} deployments"


def step_enough_functions_have_died_for_this_to_say_something(stack, scene):
    deaths = stack.deaths()
    assert deaths >= FEWEST_DEATHS, deaths
    return f"{deaths} deaths"
