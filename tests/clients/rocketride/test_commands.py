"""The command line that comes with the client, as its documentation has it."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest
from conftest import VERSION, call, echo, until, within

#: What 1.2.0 and 1.3.0 document; later ones have other commands.
pytestmark = pytest.mark.skipif(VERSION >= '1.4', reason='has another command line')
PROGRAM = str(Path(sys.executable).with_name('rocketride'))


async def begun(plane, *arguments):
    environment = {**os.environ, 'ROCKETRIDE_URI': plane.url, 'ROCKETRIDE_APIKEY': plane.key, 'TERM': 'xterm'}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        PROGRAM, *arguments, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )


async def ran(plane, *arguments):
    """Runs a command to its end: its status, and what it said."""
    command = await begun(plane, *arguments)
    said, wrong = await within(command.communicate())
    return command.returncode, (said + wrong).decode()


@pytest.fixture
def file(tmp_path, project):
    """The echo pipeline, in a file."""
    path = tmp_path / 'echo.pipe'
    path.write_text(json.dumps(echo(project)))
    return str(path)


async def test_start_gives_a_token(plane, client, file):
    status, said = await ran(plane, 'start', file)

    assert status == 0, said
    token = re.search(r'--token (tk_\w+)', said)[1]
    assert (await call(client, 'rrext_get_task_status', token=token))['state'] == 3


async def test_upload_starts_a_pipeline_and_sends_a_file(plane, file, tmp_path):
    note = tmp_path / 'note.txt'
    note.write_text('Hello')

    status, said = await ran(plane, 'upload', str(note), '--pipeline_path', file)

    assert status == 0 and re.search(r'Successful uploads: (\x1b\[\d+m)?1\b', said), said


async def test_events_of_all_kinds_are_shown(plane, client, file, tmp_path, project):
    task = await within(client.use(pipeline=echo(project)))
    log = tmp_path / 'events.log'
    command = await begun(plane, 'events', 'ALL', '--token', task['token'], '--log', str(log))
    try:
        await until(lambda: log.exists() and 'apaevt_task' in log.read_text())
        await within(client.send(task['token'], 'Hello', mimetype='text/plain'))
        await until(lambda: '"completedCount": 1' in log.read_text())
    finally:
        command.kill()
        await command.communicate()
