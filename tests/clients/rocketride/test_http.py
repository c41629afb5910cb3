"""RocketRide's HTTP routes, as scripts call them: with nothing but the standard library."""

import email.message
import http.client
import json
import re
import urllib.parse

import pytest
from conftest import PATIENCE, echo, once
from test_tasks import TASK_STATUS_FIELDS

pytestmark = once

MIB = 1024 * 1024


class Caller:
    """A client with a credential, or without."""

    def __init__(self, url, credential=None, **headers):
        self.host = urllib.parse.urlsplit(url).netloc
        self.headers = {'authorization': credential} if credential else {}
        self.headers |= {name.replace('_', '-'): value for name, value in headers.items()}

    def ask(self, method, path, body=None, **headers):
        """The answer's status, headers and text."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE * 2)
        try:
            headers = self.headers | {name.replace('_', '-'): value for name, value in headers.items()}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def json(self, method, path, body=None, **headers):
        status, _, text = self.ask(method, path, body, **headers)
        return status, json.loads(text)

    def data(self, method, path, body=None, **headers):
        """The data of a success."""
        status, answer = self.json(method, path, body, **headers)
        assert (status, answer['status']) == (200, 'OK'), answer
        return answer.get('data')

    def error(self, status, method, path, body=None, **headers):
        """The error of a refusal."""
        received, answer = self.json(method, path, body, **headers)
        assert (received, answer['status'], set(answer)) == (status, 'Error', {'status', 'error'}), answer
        assert not {'file', 'lineno'} & set(answer['error'])
        return answer['error']


@pytest.fixture
def caller(plane):
    return Caller(plane.url, f'Bearer {plane.key}')


@pytest.fixture
def open_task(caller, project):
    def open_task(pipeline=None, query=''):
        pipeline = json.dumps(pipeline or echo(project))
        return caller.data('POST', f'/task{query}', pipeline, content_type='application/json')['token']

    return open_task


@pytest.fixture
def token(open_task):
    return open_task()


def text(caller, path, body='hello', method='POST', **headers):
    """What became of the object that is a whole body."""
    data = caller.data(method, path, body, **{'content_type': 'text/plain'} | headers)
    return data['objects']['body']


def form(*fields):
    """A form as clients send it: each field its name, its text, and its file's name."""
    whole = b''
    for name, content, *file in fields:
        head = email.message.Message()
        head.add_header('Content-Disposition', 'form-data', name=name, **({'filename': file[0]} if file else {}))
        if file:
            head.add_header('Content-Type', 'text/plain')
        lines = ''.join(f'{name}: {value}\r\n' for name, value in head.items())
        whole += f'--boundary\r\n{lines}\r\n{content}\r\n'.encode()
    return {'body': whole + b'--boundary--\r\n', 'content_type': 'multipart/form-data; boundary=boundary'}


@pytest.mark.parametrize('method', ['POST', 'PUT'])
def test_a_task_is_opened_by_its_flat_pipeline(caller, project, method):
    for number, pipeline in enumerate([echo(f'{project}-a'), {'pipeline': echo(f'{project}-b')}]):
        query = ['', '?threads=64&trace=none'][number]
        data = caller.data(method, f'/task{query}', json.dumps(pipeline))

        assert set(data) == {'token'} and re.fullmatch('tk_[0-9a-f]{32}', data['token'])


def test_a_tasks_status_has_every_field(caller, token):
    text(caller, f'/task/data?token={token}')

    status = caller.data('GET', f'/task?token={token}')

    assert TASK_STATUS_FIELDS <= set(status)
    assert (status['state'], status['completed'], status['completedCount'], status['totalSize']) == (3, False, 1, 5)


def test_an_ended_task_takes_nothing_and_can_still_be_asked_about(caller, token):
    status, answer = caller.json('DELETE', f'/task?token={token}')

    assert (status, answer) == (200, {'status': 'OK'})
    status = caller.data('GET', f'/task?token={token}')
    assert (status['state'], status['status'], status['completed']) == (6, 'Stopped', True)
    assert 'ended' in caller.error(400, 'POST', f'/webhook?token={token}', 'x')['message']
    assert 'ended' in caller.error(400, 'DELETE', f'/task?token={token}')['message']


@pytest.mark.parametrize('method, path', [('POST', '/task/data'), ('POST', '/webhook'), ('PUT', '/task/process')])
def test_a_body_is_an_object_and_a_form_is_as_many_as_it_has_fields(caller, token, method, path):
    path = f'{path}?token={token}'

    whole = caller.data(method, path, 'hello', content_type='text/plain; charset=utf-8')
    fields = caller.data(
        method, path, **form(('note', 'one'), ('files', 'two', 'b.txt'), ('files', 'three', 'ž"c.txt'), ('x', ''))
    )

    assert (whole['objectsRequested'], whole['objectsCompleted'], whole['resultTypes']) == (1, 1, {'text': 'text'})
    assert whole['objects']['body']['text'] == ['hello\n\n']
    assert (fields['objectsRequested'], fields['objectsCompleted']) == (4, 4)
    objects = fields['objects']
    assert set(objects) == {'note', 'files_0', 'files_1', 'x'}
    assert [objects[name].get('text') for name in ('note', 'files_0', 'files_1')] == [
        ['one\n\n'],
        ['two\n\n'],
        ['three\n\n'],
    ]
    assert objects['files_0']['name'] == 'b.txt'
    assert all(one['status'] == 'OK' and one['path'] == '' and len(one['objectId']) == 36 for one in objects.values())


def test_a_body_is_named_by_its_disposition(caller, token):
    path = f'/task/data?token={token}'

    plain = text(caller, path, content_disposition='attachment; filename="a b.txt"')
    encoded = text(caller, path, content_disposition="attachment; filename*=UTF-8''%C5%BE.txt")
    unnamed = text(caller, path)

    assert (plain['name'], encoded['name'], len(unnamed['name'])) == ('a b.txt', 'ž.txt', 36)


def test_a_failed_object_is_reported_within_a_success(caller, open_task, project):
    pipeline = echo(project)
    pipeline['components'].insert(
        1,
        {
            'id': 'template_1',
            'provider': 'template',
            'config': {'template': '{{ value.nothing.at.all }}'},
            'input': [{'lane': 'text', 'from': 'webhook_1'}],
        },
    )
    pipeline['components'][2]['input'][0]['from'] = 'template_1'
    token = open_task(pipeline)

    data = caller.data('POST', f'/task/data?token={token}', **form(('a', 'x'), ('b', 'y')))

    assert (data['objectsRequested'], data['objectsCompleted']) == (2, 0)
    assert all(one['status'] == 'Error' and 'template_1' in one['error'] for one in data['objects'].values())
    assert caller.data('GET', f'/task?token={token}')['failedCount'] == 2


def test_a_caller_without_a_live_key_is_denied(plane):
    revoked = plane.new_key()
    plane.revoke(revoked)
    for credential in [None, 'Bearer', 'Bearer ', 'nonsense', 'Bearer tm_local_x', f'Bearer {revoked["key"]}']:
        stranger = Caller(plane.url, credential)
        for method, path in [
            ('POST', '/task'),
            ('GET', '/task?token=t'),
            ('DELETE', '/task?token=t'),
            ('POST', '/task/data?token=t'),
            ('POST', '/webhook'),
            ('GET', '/status'),
        ]:
            assert stranger.error(401, method, path) == {'error': 'Access denied'}, (credential, method, path)


def test_a_caller_refused_while_sending_receives_the_refusal(plane, caller):
    body = b'x' * (8 * MIB)

    for _ in range(3):
        assert Caller(plane.url).error(401, 'POST', '/webhook?token=tk_none', body) == {'error': 'Access denied'}
        assert 'not running' in caller.error(400, 'POST', '/webhook?token=tk_none', body)['message']


def test_a_browser_is_denied_with_a_page_and_a_terminal_with_a_line(plane):
    for accept, content_type in [
        ('text/html,application/xhtml+xml,*/*;q=0.8', 'text/html'),
        ('text/plain', 'text/plain'),
        ('application/json, text/plain, */*', 'application/json'),
    ]:
        status, headers, page = Caller(plane.url).ask('GET', '/task?token=t', accept=accept)

        assert (status, headers.get_content_type()) == (401, content_type)
        assert 'Access denied' in page


def test_a_bare_key_is_a_key(plane):
    server = Caller(plane.url, plane.key).data('GET', '/status')['server']

    assert set(server) == {'version', 'startTime', 'uptime'} and server['uptime'] >= 0


def test_what_is_missing_or_cannot_be_read_is_422(caller, project):
    pipeline = json.dumps(echo(project))
    for method, path, body in [
        ('GET', '/task', None),
        ('DELETE', '/task', None),
        ('POST', '/task/data', 'x'),
        ('POST', '/task', None),
        ('POST', '/task', '{'),
        ('POST', '/task', '[]'),
        ('POST', '/task?threads=0', pipeline),
        ('POST', '/task?threads=65', pipeline),
        ('POST', '/task?threads=many', pipeline),
        ('POST', '/task?trace=loud', pipeline),
        ('POST', '/pipe/validate', None),
    ]:
        assert caller.error(422, method, path, body)['message'], (method, path)


def test_what_cannot_be_done_is_400(plane, caller, token, project):
    watcher = Caller(plane.url, plane.new_key('task.monitor')['key'])
    for asks, method, path, body, reason in [
        (caller, 'POST', '/task', json.dumps(echo(project)), 'Pipeline is already running'),
        (caller, 'POST', '/task', '{"components": []}', 'components'),
        (caller, 'DELETE', '/task?token=tk_none', None, 'Your pipeline is not running'),
        (caller, 'GET', '/task?token=tk_none', None, 'Your pipeline is not running'),
        (caller, 'POST', '/webhook?token=tk_none', 'x', 'Your pipeline is not running'),
        (caller, 'GET', '/services?service=nope', None, 'not found'),
        (watcher, 'DELETE', f'/task?token={token}', None, 'task.control'),
        (watcher, 'POST', f'/webhook?token={token}', 'x', 'task.data'),
    ]:
        assert reason in asks.error(400, method, path, body)['message'], (method, path)


def test_a_form_that_is_none_is_refused(caller, token):
    for body in ['', 'no form', '--boundary\r\n', '--boundary\r\nx' * 100_000]:
        sent = {'body': body, 'content_type': 'multipart/form-data; boundary=boundary'}
        assert re.search('body|form', caller.error(400, 'POST', f'/task/data?token={token}', **sent)['message'])


def test_a_tasks_own_token_is_for_that_task_alone(plane, token, open_task, project):
    other = open_task(echo(f'{project}-other'))
    holder = Caller(plane.url, f'Bearer {token}')

    assert holder.data('GET', '/task')['project_id'] == project
    assert text(holder, '/webhook')['text'] == ['hello\n\n']
    for method, path in [('GET', f'/task?token={other}'), ('DELETE', f'/task?token={other}'), ('GET', '/status')]:
        assert 'that task alone' in holder.error(400, method, path)['message']
    assert 'that task alone' in holder.error(400, 'POST', '/task', json.dumps(echo(f'{project}-third')))['message']
    for path in ['/v1/tasks', '/v1/deployments', '/v1/keys']:
        assert holder.ask('GET', path)[0] == 401
    assert holder.json('DELETE', '/task') == (200, {'status': 'OK'})


async def test_a_public_token_only_sends(plane, client, project):
    task = await client.use(pipeline=echo(project))
    sender = Caller(plane.url, task['publicToken'])

    assert text(sender, '/webhook')['text'] == ['hello\n\n']
    assert text(sender, f'/task/data?token={task["token"]}')['text'] == ['hello\n\n']
    for method in ['GET', 'DELETE']:
        assert 'only send' in sender.error(400, method, '/task')['message']


def test_the_tokens_of_no_task_are_400(plane):
    for credential in ['tk_' + '0' * 32, 'pk_' + '0' * 32]:
        error = Caller(plane.url, credential).error(400, 'POST', '/webhook', 'x')

        assert 'Your pipeline is not running' in error['message']


def test_another_owners_tasks_are_none(plane, caller, project):
    stranger = Caller(plane.url, plane.key_of('stranger'))
    chosen = f'/task?token=UPLOAD_TASK_{project}'
    for who, name in [(caller, 'mine'), (stranger, 'theirs')]:
        who.data('POST', chosen, json.dumps(echo(f'{project}-{name}')))

    assert stranger.json('DELETE', chosen) == (200, {'status': 'OK'})

    status = caller.data('GET', chosen)
    assert (status['state'], status['project_id']) == (3, f'{project}-mine')


def test_what_is_for_everybody_needs_no_key(plane, project):
    stranger = Caller(plane.url)

    assert stranger.json('GET', '/ping') == (200, {'status': 'OK'})
    assert set(stranger.data('GET', '/version')) == {'version', 'hash', 'stamp'}
    assert 'webhook' in stranger.data('GET', '/services')['services']
    assert 'lanes' in stranger.data('GET', '/services?service=webhook')
    good = stranger.data('POST', '/pipe/validate?source=webhook_1', json.dumps(echo(project)))
    bad = stranger.data('POST', '/pipe/validate', json.dumps({'components': []}))
    assert good['pipeline']['chain'] == ['webhook_1', 'response_1'] and 'errors' not in good
    assert bad['errors'] and 'pipeline' in bad


def test_texts_are_cut_into_parts_of_a_mebibyte_however_they_arrive(caller, token):
    body = b'a' * (2 * MIB + 5)
    expected = 'a' * MIB + '\n\n' + 'a' * MIB + '\n\n' + 'a' * 5 + '\n\n'

    pieces = (body[at : at + 100_001] for at in range(0, len(body), 100_001))

    at_once = text(caller, f'/task/data?token={token}', body)
    in_pieces = text(caller, f'/task/data?token={token}', pieces)

    assert at_once['text'] == in_pieces['text'] == [expected]


@pytest.mark.parametrize('as_form', [False, True])
def test_a_large_upload_is_not_held_in_memory(plane_of_its_own, project, as_form):
    caller = Caller(plane_of_its_own.url, plane_of_its_own.key)
    pipeline = echo(project)
    pipeline['components'][1] |= {'provider': 'log', 'config': {}}
    token = caller.data('POST', '/task', json.dumps(pipeline))['token']
    size = 200 * MIB
    before = memory(plane_of_its_own)

    body = (b'0123456789abcde\n' * (MIB // 16) for _ in range(size // MIB))
    sent = {'body': body, 'content_type': 'text/plain'}
    if as_form:
        sent = {'body': in_a_form(body), 'content_type': 'multipart/form-data; boundary=boundary'}
    data = caller.data('POST', f'/task/data?token={token}', **sent)

    assert data['objectsCompleted'] == 1, data
    assert caller.data('GET', f'/task?token={token}')['completedSize'] == size
    assert memory(plane_of_its_own) - before < 60 * MIB


def in_a_form(body):
    yield b'--boundary\r\ncontent-disposition: form-data; name="body"; filename="large.txt"\r\n'
    yield b'content-type: text/plain\r\n\r\n'
    yield from body
    yield b'\r\n--boundary--\r\n'


def memory(plane):
    """The most memory that a plane has had, in bytes."""
    try:
        status = open(f'/proc/{plane.process.pid}/status').read()
    except FileNotFoundError:
        pytest.skip('this system does not show the memory of a process')
    return int(re.search(r'VmHWM:\s+(\d+) kB', status)[1]) * 1024
