"""One plane for all tests, and clients of the installed version for it. Every test has an owner of its own."""

import asyncio
import contextlib
import importlib.metadata
import itertools
import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import rocketride

VERSION = importlib.metadata.version('rocketride')
ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get('TIDEMILL_BINARY', str(ROOT / 'target/debug/tidemill'))
# No answer may keep a test waiting for longer, in seconds.
PATIENCE = 30

#: The five commands of deployments that 1.2.0 and 1.3.0 speak.
speaks_deploy = pytest.mark.skipif(VERSION >= '1.4', reason='speaks of deployments in another dialect')
#: Whatever does not depend on the client is tested with one.
once = pytest.mark.skipif(VERSION != '1.3.0', reason='the same with every client')
#: Login and logout as calls of their own.
has_login = pytest.mark.skipif(not hasattr(rocketride.RocketRideClient, 'login'), reason='logs in with connect only')


def pytest_configure(config):
    # The caller's own settings are no part of a test.
    for name in [name for name in os.environ if name.startswith('ROCKETRIDE_')]:
        del os.environ[name]


def pytest_report_header(config):
    return f'rocketride {VERSION}'


class Plane:
    """A plane of the debug binary, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.log = open(folder / 'log', 'ab')
        self.listen = '127.0.0.1:0'
        self.options = []
        self.start()

    def start(self):
        command = [BINARY, 'dev', '--data', str(self.folder / 'data'), '--listen', self.listen, *self.options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        ready = self.process.stdout.readline()
        match = re.fullmatch(r'ready (http://(\S+))', ready.strip())
        assert match, f'the plane did not start: {ready!r}\n{self.said()}'
        self.url, self.listen = match[1], match[2]
        self.key = (self.folder / 'data' / 'key').read_text().strip()

    def stop(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def said(self):
        return (self.folder / 'log').read_text()

    def http(self, method, path, body=None, key=None):
        """A call of the HTTP API: its status and its answer."""
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header('authorization', f'Bearer {key or self.key}')
        data = None
        if body is not None:
            request.add_header('content-type', 'application/json')
            data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def new_key(self, *scopes):
        """Another key of the owner `dev`."""
        status, made = self.http('POST', '/v1/keys', {'scopes': list(scopes)} if scopes else {})
        assert status == 201, made
        return made

    def key_of(self, owner):
        """A key of another owner, as the operator makes it."""
        command = [BINARY, 'keys', 'create', '--owner', owner, '--data', str(self.folder / 'data'), '--json']
        made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
        assert made.returncode == 0, made.stderr
        return json.loads(made.stdout)['key']

    def revoke(self, key):
        status, answer = self.http('DELETE', f'/v1/keys/{key["id"]}')
        assert status == 200, answer


@pytest.fixture(scope='session')
def plane(tmp_path_factory):
    plane = Plane(tmp_path_factory.mktemp('plane'))
    yield plane
    plane.stop()
    said = plane.said()
    assert 'panicked' not in said and 'ERROR' not in said, said


@pytest.fixture
def plane_of_its_own(tmp_path):
    """For tests that stop the plane, or count what is in it."""
    plane = Plane(tmp_path)
    yield plane
    if plane.process.poll() is None:
        plane.stop()


@pytest.fixture
async def connect(plane):
    """Connects clients, and disconnects them after the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def connect(key=None, url=None, **options):
            client = rocketride.RocketRideClient(uri=url or plane.url, auth=key or plane.key, **options)
            await within(client.connect())
            stack.push_async_callback(gone, client)
            return client

        yield connect


@pytest.fixture
async def client(connect):
    return await connect()


async def closed(client):
    """Waits until the plane has closed the socket."""
    for _ in range(100):
        if not client.is_connected():
            return
        await asyncio.sleep(0.05)
    pytest.fail('the socket is still open')


async def gone(client):
    with contextlib.suppress(Exception):
        await asyncio.wait_for(client.disconnect(), PATIENCE)


async def within(work, seconds=PATIENCE):
    return await asyncio.wait_for(work, seconds)


async def call(client, command, **arguments):
    """A command as every version can send it: the answer's body."""
    answer = await ask(client, command, arguments)
    if not answer.get('success'):
        raise RuntimeError(answer['message'])
    return answer.get('body')


async def ask(client, command, arguments=None):
    """A command, and the whole answer."""
    request = client.build_request(command, arguments={} if arguments is None else arguments)
    return await within(client.request(request))


numbers = itertools.count(1)


@pytest.fixture
def project(request):
    """The name of a project that no other test has."""
    return f'{request.node.name}-{next(numbers)}'


def echo(project, **more):
    """A pipeline that answers with what it is sent."""
    return {
        'project_id': project,
        'source': 'webhook_1',
        'components': [
            {'id': 'webhook_1', 'provider': 'webhook', 'config': {'mode': 'Source', 'type': 'webhook'}},
            {
                'id': 'response_1',
                'provider': 'response',
                'config': {'lanes': []},
                'input': [{'lane': 'text', 'from': 'webhook_1'}],
            },
        ],
        **more,
    }


def on_schedule(project, **more):
    """A pipeline that a schedule can run."""
    return {
        'project_id': project,
        'source': 'timer_1',
        'components': [
            {'id': 'timer_1', 'provider': 'timer', 'config': {'mode': 'Source', 'type': 'timer'}},
            {
                'id': 'response_1',
                'provider': 'response',
                'config': {'lanes': []},
                'input': [{'lane': 'documents', 'from': 'timer_1'}],
            },
        ],
        **more,
    }


async def until(true):
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0.05)
    pytest.fail('it did not come true')
