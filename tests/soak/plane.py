"""The plane under test: a process that is killed and started again on the same folder, and its API."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlencode

BINARY = os.environ["TIDEMILL_BINARY"]
START_LIMIT = 60


class Answer:
    def __init__(self, status, body, headers):
        self.status = status
        self.body = body
        self.headers = headers


class Unanswered(Exception):
    """The plane died, or was not there: whether the request counts is unknown."""


class Plane:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.port = free_port()
        self.process = None
        self.starts = 0

    def start(self):
        log = open(self.folder / "plane.log", "ab")
        command = [BINARY, "dev", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", "--minute", "1"]
        command += ["--allow-files", self.folder / "in"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        watchdog = threading.Timer(START_LIMIT, self.process.kill)
        watchdog.start()
        ready = self.process.stdout.readline()
        watchdog.cancel()
        assert ready.startswith("ready "), f"the plane did not start: see {log.name}"
        self.starts += 1

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(START_LIMIT)

    def key(self, owner):
        """A key of another owner, which the operator makes in the table of the data folder."""
        command = [BINARY, "keys", "create", "--owner", owner, "--data", self.data, "--json"]
        # The scope `admin` is for the doctor.
        command += [word for scope in ("task.control", "task.monitor", "task.data", "admin") for word in ("--scope", scope)]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(made.stdout)["key"]

    def resident(self):
        """MiB of memory that are resident: of the plane, and of the processes that it started."""
        threads = list(Path(f"/proc/{self.process.pid}/task").iterdir())
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
        return resident(self.process.pid), sum(resident(child) for child in children)


def resident(pid):
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class User:
    def __init__(self, plane, key=None):
        self.plane = plane
        self.key = key

    def send(self, method, path, body=None, **query):
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers["Content-Type"] = "text/plain" if isinstance(body, str) else "application/json"
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else None
        connection = http.client.HTTPConnection("127.0.0.1", self.plane.port, timeout=30)
        try:
            connection.request(method, path + (f"?{urlencode(query)}" if query else ""), data, headers)
            response = connection.getresponse()
            return Answer(response.status, json.loads(response.read() or "null"), response.headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unanswered(str(error)) from error
        finally:
            connection.close()

    def ok(self, method, path, body=None, **query):
        answer = self.send(method, path, body, **query)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body}"
        return answer.body

    def pages(self, path, **query):
        cursor = None
        while True:
            page = self.ok("GET", path, limit=100, **query, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            cursor = page["next"]
            if not cursor:
                return
