"""A client of the deployed API over HTTP."""

import http.client
import json
import time
from urllib.parse import quote, urlencode


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def ok(self):
        assert 200 <= self.status < 300, f"{self.status}: {self.body}"
        return self.body

    def refused(self, status):
        assert self.status == status, f"{self.status}, expected {status}: {self.body}"
        return self.body["code"]


# Seconds between the tries of a request that API Gateway did not take.
PAUSES = (0.5, 1, 2, 4, 0)


def exchange(url, method, target, data, headers):
    """One request and its answer."""
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.netloc, timeout=60)
    try:
        connection.request(method, target, body=data, headers=headers)
        response = connection.getresponse()
        text = response.read().decode()
        try:
            body = json.loads(text)
        except ValueError:
            body = text
        return Answer(response.status, response.headers, body)
    finally:
        connection.close()


class User:
    def __init__(self, stack, key=None):
        self.stack = stack
        self.key = key

    def send(self, method, path, body=None, headers=None, query=None):
        url, host = self.stack.api
        headers = {"Host": host, **(headers or {})}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        data = body
        if body is not None and not isinstance(body, bytes):
            data = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        target = f"{url.path}{path}" + (f"?{urlencode(query)}" if query else "")
        for pause in PAUSES:
            answer = exchange(url, method, target, data, headers)
            if answer.status != 503 or self.stack.emulator:
                break
            # API Gateway takes no more at the moment.
            time.sleep(pause)
        return answer

    def get(self, path, **query):
        return self.send("GET", path, query=query)

    def post(self, path, body=None, **query):
        return self.send("POST", path, body, query=query)

    def patch(self, path, body):
        return self.send("PATCH", path, body)

    def put(self, path, body):
        return self.send("PUT", path, body)

    def delete(self, path):
        return self.send("DELETE", path)

    def deploy(self, pipeline, schedule="manual", **settings):
        return self.post("/v1/deployments", {"pipeline": pipeline, "schedule": schedule, **settings})

    def run(self, run):
        return self.get(f"/v1/runs/{run}").ok()

    def ticks_answer(self, project):
        return self.get(f"{deployment(project)}/ticks", limit=100)

    def ticks(self, project):
        return self.ticks_answer(project).ok()["items"]


def deployment(project, twice=False):
    """The path of a project. `twice` is for the emulator, see `names`."""
    name = quote(project, safe="")
    return f"/v1/deployments/{quote(name, safe='') if twice else name}"
