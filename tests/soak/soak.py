"""Kills, floods and busy programs together, for as long as it is given; afterwards every operation that was acknowledged is looked up.

What has no answer may count or not, so it is not repeated: no payload may be in two runs. Ends with 1 if anything was lost or doubled.
"""

import argparse
import json
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pipelines
from plane import Plane, Unanswered, User

OWNERS = ["ana", "bob"]
HOOKS = 4
TICKING = 6
COPIES = 2
SENDERS = 4
FLOOD = 64
SILENT = 200
KILL_AFTER = (15, 60)
# How long the last plane may go without bringing anything nearer to its end.
PATIENCE = 900


class Soak:
    def __init__(self, folder, minutes, seed):
        self.plane = Plane(folder)
        self.chance = random.Random(seed)
        self.until = time.monotonic() + minutes * 60
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.hooks = []
        self.sent = Counter()
        self.accepted = {}
        self.versions = {}
        self.written = Counter()
        self.memory = []

    def goes_on(self):
        return time.monotonic() < self.until and not self.stopping.is_set()

    # What is deployed.

    def prepare(self):
        (self.plane.folder / "in").mkdir()
        self.plane.start()
        self.users = [User(self.plane, self.plane.key(owner)) for owner in OWNERS]
        for user in self.users:
            for number in range(HOOKS):
                made = self.deploy(user, pipelines.echo(f"hook-{number}"), "manual")
                self.hooks.append((user, made["hook"]))
            for number in range(TICKING):
                self.deploy(user, pipelines.ticking(f"ticking-{number}", "0"), "* * * * *")
        ana = self.users[0]
        for number in range(COPIES):
            self.grow(f"copy-{number}")
            self.deploy(ana, pipelines.copying(f"copy-{number}"), "*/5 * * * *")
        for user in self.users:
            self.deploy(user, pipelines.burning("busy", pipelines.ALL_TIME), "* * * * *", timeoutSeconds=10)
        self.deploy(ana, pipelines.burning("greedy", pipelines.ALL_MEMORY), "*/20 * * * *", timeoutSeconds=30)

    def deploy(self, user, pipeline, schedule, **settings):
        return user.ok("POST", "/v1/deployments", {"pipeline": pipeline, "schedule": schedule, **settings})

    # What happens.

    def send(self, number=0):
        """Sends a payload once. What is acknowledged must have run."""
        user, hook = self.hooks[self.chance.randrange(len(self.hooks))]
        with self.lock:
            payload = f"payload {sum(self.sent.values())}.{number}"
            self.sent["all"] += 1
        try:
            answer = User(self.plane).send("POST", hook, payload)
        except Unanswered:
            time.sleep(0.2)
            return
        with self.lock:
            if answer.status == 202:
                self.accepted[payload] = (user, answer.body["id"])
            else:
                self.sent[answer.status] += 1
        if answer.status == 429:
            time.sleep(float(answer.headers["Retry-After"]))

    def senders(self):
        while self.goes_on():
            self.send()
            time.sleep(0.05)

    def floods(self):
        with ThreadPoolExecutor(FLOOD) as pool:
            while self.goes_on():
                list(pool.map(self.send, range(FLOOD)))
                self.pause(20)

    def silence(self):
        """Strangers who connect and say nothing."""
        while self.goes_on():
            held = []
            for _ in range(SILENT):
                try:
                    held.append(socket.create_connection(("127.0.0.1", self.plane.port), timeout=1))
                except OSError:
                    break
            self.pause(10)
            for stranger in held:
                stranger.close()

    def edits(self):
        """Makes versions. The text of each is its number, so that a lost or a doubled one is seen."""
        number = 0
        while self.goes_on():
            user = self.users[number % len(self.users)]
            project = f"ticking-{number % TICKING}"
            number += 1
            try:
                answer = user.send("PATCH", f"/v1/deployments/{project}", {"pipeline": pipelines.ticking(project, f"{number}")})
            except Unanswered:
                continue
            if answer.status == 200:
                self.versions[user.key, project, answer.body["version"]] = f"{number}"
            self.pause(1)

    def grow(self, project, lines=2000):
        with open(self.plane.folder / "in" / f"{project}.ndjson", "a") as file:
            for number in range(lines):
                file.write(json.dumps({"id": self.written[project] + number}) + "\n")
        self.written[project] += lines

    def growths(self):
        while self.goes_on():
            for number in range(COPIES):
                self.grow(f"copy-{number}")
            self.pause(30)

    def watch_memory(self):
        while self.goes_on():
            self.pause(5)
            try:
                self.memory.append(self.plane.resident())
            except OSError:
                continue

    def kills(self):
        while self.goes_on():
            self.pause(self.chance.uniform(*KILL_AFTER))
            self.plane.kill()
            self.plane.start()
            print(f"{self.seconds_left():5.0f} s left, {self.plane.starts - 1} kills, {len(self.accepted)} accepted", flush=True)

    def seconds_left(self):
        return max(0, self.until - time.monotonic())

    def pause(self, seconds):
        self.stopping.wait(min(seconds, self.seconds_left()))

    def work(self):
        jobs = [self.floods, self.silence, self.edits, self.growths, self.watch_memory, self.kills]
        with ThreadPoolExecutor(len(jobs) + SENDERS) as pool:
            working = [pool.submit(job) for job in jobs + [self.senders] * SENDERS]
            for job in working:
                job.result()

    # What came of it.

    def settle(self):
        """Lets everything come to its end: schedules stop, and what waits runs."""
        for user in self.users:
            for shown in list(user.pages("/v1/deployments")):
                if not shown["project"].startswith("copy"):
                    user.ok("PATCH", f"/v1/deployments/{shown['project']}", {"schedule": "manual"})
        before, deadline = None, 0
        while left := self.left():
            if left != before:
                before, deadline = left, time.monotonic() + PATIENCE
            assert time.monotonic() < deadline, f"nothing comes nearer to its end: {left}"
            time.sleep(2)

    def left(self):
        """What is not at its end: open runs, and objects that are not copied yet."""
        open_runs = [run for user in self.users for run in self.open_runs(user)]
        uncopied = {project: lines - len(self.copied(project)) for project, lines in self.written.items()}
        uncopied = {project: lines for project, lines in uncopied.items() if lines > 0}
        return (open_runs, uncopied) if open_runs or uncopied else None

    def open_runs(self, user):
        return [run["id"] for run in user.pages("/v1/runs") if not run["endedAt"] and not run["project"].startswith("copy")]

    def copied(self, project):
        found = list((self.plane.data / "files").rglob(project))
        text = found[0].read_text() if found else ""
        return [json.loads(line)["id"] for line in text.splitlines()]

    def account(self):
        lost, doubled = [], []
        runs = {user.key: {run["id"]: run for run in user.pages("/v1/runs")} for user in self.users}
        for payload, (user, run) in self.accepted.items():
            found = user.ok("GET", f"/v1/runs/{run}")
            if found["state"] != "succeeded" or found["result"]["echo"][0].strip() != payload:
                lost.append((payload, run, found["state"]))
        bodies = Counter()
        for user in self.users:
            for run in runs[user.key].values():
                if run["trigger"] == "webhook":
                    bodies[user.ok("GET", f"/v1/runs/{run['id']}")["result"]["echo"][0].strip()] += 1
        doubled += [payload for payload, times in bodies.items() if times > 1]
        for (key, project, version), text in self.versions.items():
            kept = User(self.plane, key).ok("GET", f"/v1/deployments/{project}/versions/{version}")
            if f'"{text}"' not in json.dumps(kept):
                lost.append((project, version))
        for user in self.users:
            for number in range(TICKING):
                minutes = Counter(tick["at"] for tick in user.pages(f"/v1/deployments/ticking-{number}/ticks"))
                doubled += [(f"ticking-{number}", at) for at, times in minutes.items() if times > 1]
        for project, lines in self.written.items():
            copied = Counter(self.copied(project))
            lost += [(project, line) for line in range(lines) if not copied[line]]
            doubled += [(project, line) for line, times in copied.items() if times > 1]
        states = Counter(run["state"] for user in self.users for run in runs[user.key].values() if run["project"] in ("busy", "greedy"))
        return lost, doubled, states

    def report(self):
        lost, doubled, states = self.account()
        findings = [finding for user in self.users for finding in user.ok("POST", "/v1/doctor")["findings"]]
        findings = [finding for finding in findings if finding["project"] not in ("busy", "greedy")]
        begin, end = self.memory[0][0], self.plane.resident()[0]
        print(f"kills                 {self.plane.starts - 1}")
        print(f"webhooks              {self.sent['all']} sent, {len(self.accepted)} acknowledged, {self.sent[429]} asked to wait")
        print(f"versions acknowledged {len(self.versions)}")
        print(f"objects copied        {sum(self.written.values())}")
        print(f"busy programs         {dict(states)}")
        print(f"plane, MiB            {begin} at the beginning, {end} at the end, {max(own for own, _ in self.memory)} at most")
        print(f"its processes, MiB    {max(others for _, others in self.memory)} at most")
        print(f"doctor                {findings or 'nothing'}")
        print(f"lost {len(lost)}, doubled {len(doubled)}", *lost[:10], *doubled[:10], flush=True)
        return not (lost or doubled or findings)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = options.parse_args()
    print(f"seed {given.seed}, {given.minutes:g} minutes", flush=True)
    folder = tempfile.mkdtemp(prefix="tidemill-soak-")
    soak = Soak(folder, given.minutes, given.seed)
    # Ctrl-C ends the attack, and what was acknowledged until then is looked up.
    signal.signal(signal.SIGINT, lambda *_: soak.stopping.set())
    try:
        soak.prepare()
        soak.work()
        soak.settle()
        held = soak.report()
    finally:
        soak.plane.kill()
    if held:
        shutil.rmtree(folder)
    else:
        print(f"the folder is kept: {folder}")
    sys.exit(not held)


if __name__ == "__main__":
    main()
